"""Settings that admins change while the service runs, stored in PostgreSQL."""
