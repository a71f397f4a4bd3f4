"""Lessons: reading one with its quizzes, and edits by the course's instructor."""
