"""What runs the service itself: settings in the database, retention, privacy, the language model."""
