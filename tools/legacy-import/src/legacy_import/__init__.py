"""Takes over what the systems before CogniFlow left behind: `python -m legacy_import FILE...`.

Readers (no database) turn a file into records and a ledger of what each
became; `apply/` writes the records, one transaction a source.
"""
