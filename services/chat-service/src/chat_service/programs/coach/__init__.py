"""What the coach answers: a function of the program, the session state and the message."""
