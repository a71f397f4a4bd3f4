"""Sessions and turns of programs in PostgreSQL."""
