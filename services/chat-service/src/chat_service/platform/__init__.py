"""Parts that serve all of chat-service: settings in the database, retention, the language model."""
