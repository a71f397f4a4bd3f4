"""Enrollments and the progress of enrolled learners."""
