"""Guided programmes: weeks of questions with a coach that answers from the programme's own texts."""
