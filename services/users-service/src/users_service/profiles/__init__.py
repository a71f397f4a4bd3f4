"""Profiles: what users say about themselves, their preferences, and a summary of their activity."""
