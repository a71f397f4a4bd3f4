"""Reads the intake bot's SQLite database, as a file or as SQL."""
