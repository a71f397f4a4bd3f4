"""What other services read."""
