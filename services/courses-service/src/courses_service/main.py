"""The ASGI application, for servers that import one: `courses_service.main:app`."""

from courses_service.app import create_app
from courses_service.settings import Settings

app = create_app(Settings())
