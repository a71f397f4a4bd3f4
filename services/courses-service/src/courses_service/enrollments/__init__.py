"""Enrollments and what the enrolled have completed."""
