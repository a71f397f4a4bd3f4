"""PostgreSQL: connections, sessions, and the tables every service has."""
