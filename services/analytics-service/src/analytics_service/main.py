"""The ASGI application, for servers that import one: `analytics_service.main:app`."""

from analytics_service.app import create_app
from analytics_service.settings import Settings

app = create_app(Settings())
