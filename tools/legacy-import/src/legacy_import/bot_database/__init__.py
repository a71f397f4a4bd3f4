"""Reads the intake bot's SQLite database or SQL dump."""
