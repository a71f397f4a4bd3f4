"""What happened to identities, for those who have to answer for it."""
