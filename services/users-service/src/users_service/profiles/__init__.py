"""Profiles: what people say about themselves, how they like things, what they did."""
