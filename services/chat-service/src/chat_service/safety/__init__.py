"""Whether somebody may be in danger, and where they find help."""
