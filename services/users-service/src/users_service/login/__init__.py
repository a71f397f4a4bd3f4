"""Login sessions: log in, refresh, log out; access, refresh and service tokens."""
