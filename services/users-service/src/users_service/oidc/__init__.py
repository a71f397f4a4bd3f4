"""Login with an account at an external OpenID Connect provider; off unless one is configured."""
