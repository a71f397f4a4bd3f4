"""Who is online: heartbeats and the list of online users."""
