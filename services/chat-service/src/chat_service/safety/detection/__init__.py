"""Detects risk in messages by lexicons of phrases; `docs/explanation/safety.md` explains the method."""
