"""Reads Python week modules with `ast`; no code of theirs is run or imported."""
