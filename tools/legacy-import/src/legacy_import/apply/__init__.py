"""Writes sources to the database: one transaction per source, each at most once."""
