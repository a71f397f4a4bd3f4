"""Quiz attempts: graded by the service, stored in MongoDB."""
