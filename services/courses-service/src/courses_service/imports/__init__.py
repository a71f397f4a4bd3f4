"""Imports of course archives, and what they left out."""
