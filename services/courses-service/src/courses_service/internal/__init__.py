"""Routes for other services: course versions, and lessons as plain text."""
