"""The ASGI application for servers that import it: `users_service.main:app`."""

from users_service.app import create_app
from users_service.settings import Settings

app = create_app(Settings())
