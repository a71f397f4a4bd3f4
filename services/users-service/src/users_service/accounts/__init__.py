"""Accounts: who exists, and what they may do."""
