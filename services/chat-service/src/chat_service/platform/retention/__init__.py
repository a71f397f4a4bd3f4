"""Deletes data when its retention time ends, and keeps messages in monthly partitions."""
