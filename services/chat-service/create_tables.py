"""Creates tables, indexes and the bundled programs; run it as often as you like."""

from chat_service.bootstrap import bootstrap
from chat_service.settings import Settings

bootstrap(Settings())
