"""Lessons: what learners read, and their instructor's edits of it."""
