"""Logging in and staying logged in: sessions, access and refresh tokens, service tokens."""
