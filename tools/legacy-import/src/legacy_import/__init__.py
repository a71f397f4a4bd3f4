"""Imports data of the systems that CogniFlow replaces: `python -m legacy_import FILE...`.

`sources.py` reads files into records, without a database, and counts every
record in a ledger. `apply/` writes the records, one transaction per source.
"""
