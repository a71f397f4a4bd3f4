"""The ASGI application, for ASGI servers that import it: `analytics_service.main:app`."""

from analytics_service.app import create_app
from analytics_service.settings import Settings

app = create_app(Settings())
