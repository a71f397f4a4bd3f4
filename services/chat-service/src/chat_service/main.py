"""The ASGI application, for ASGI servers that import it: `chat_service.main:app`."""

from chat_service.app import create_app
from chat_service.settings import Settings

app = create_app(Settings())
