"""Accounts: registration, administration, e-mail addresses and passwords."""
