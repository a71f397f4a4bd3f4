"""The ASGI application, for ASGI servers that import it: `courses_service.main:app`."""

from courses_service.app import create_app
from courses_service.settings import Settings

app = create_app(Settings())
