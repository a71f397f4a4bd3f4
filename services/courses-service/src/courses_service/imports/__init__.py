"""Imports of Open edX course archives, and their reports."""
