"""Reads Open edX course archives (OLX) as what they are: files from strangers."""
