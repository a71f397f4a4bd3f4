"""What chat-service holds on people, and what it tells them of it."""
