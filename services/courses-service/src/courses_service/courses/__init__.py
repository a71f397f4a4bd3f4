"""Courses: list, detail, outline, and what their instructors change."""
