"""Signing keys: made at first start, kept encrypted, published."""
