"""Where sessions of programmes and their turns are kept."""
