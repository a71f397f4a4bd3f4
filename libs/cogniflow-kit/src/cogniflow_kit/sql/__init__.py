"""PostgreSQL: connections, transactions, and the tables that every service has."""
