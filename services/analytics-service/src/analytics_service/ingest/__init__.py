"""Stores the events that other services deliver."""
