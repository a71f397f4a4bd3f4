"""Transcripts and summaries of program sessions, as JSON, Markdown and PDF."""
