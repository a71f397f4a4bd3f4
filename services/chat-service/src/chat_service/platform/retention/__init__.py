"""What is cleared up after its time, and the months in which messages are kept."""
