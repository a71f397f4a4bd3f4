"""The ASGI application, for servers that import one: `chat_service.main:app`."""

from chat_service.app import create_app
from chat_service.settings import Settings

app = create_app(Settings())
