"""What a session leaves its participant: the transcript of all that was said, and a summary of it."""
