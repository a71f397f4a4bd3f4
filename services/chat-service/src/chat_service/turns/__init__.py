"""The turn protocol: one message of a person, one answer, and all that it changes."""
