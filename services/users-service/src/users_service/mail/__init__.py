"""Mails: written in the transaction of the change they announce; sent by the worker or read by admins."""
