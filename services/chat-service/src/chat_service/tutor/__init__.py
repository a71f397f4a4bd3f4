"""The tutor: answers questions about a course from its lessons, and cites the passages."""
