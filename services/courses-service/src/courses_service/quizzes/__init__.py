"""Quiz attempts: graded here, kept in MongoDB."""
