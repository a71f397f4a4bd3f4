"""Programs go on while PostgreSQL is away: turns are kept on disk and stored when it is back."""
