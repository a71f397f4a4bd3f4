"""Courses: the list, one course, its outline, and edits by its instructor."""
