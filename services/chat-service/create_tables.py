"""Creates tables and indexes and publishes the bundled programs. A repetition changes nothing."""

from chat_service.bootstrap import bootstrap
from chat_service.settings import Settings

bootstrap(Settings())
