"""Guided programs: weeks of questions with a coach that answers from the program's own texts."""
