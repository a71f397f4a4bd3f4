"""Writes what the readers found: one transaction a source, and nothing of it twice."""
