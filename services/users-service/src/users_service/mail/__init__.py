"""Mails: written in the transaction of what they tell, sent by the worker, or read by an admin."""
