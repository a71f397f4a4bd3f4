"""Program sessions while PostgreSQL may be away: spool, replay, recent sessions."""
