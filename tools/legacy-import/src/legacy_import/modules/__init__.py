"""Reads Python modules for their constants, by `ast`: nothing of them is ever run or imported."""
