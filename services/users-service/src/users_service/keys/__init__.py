"""Signing keys of access tokens: created, stored encrypted, rotated, published."""
