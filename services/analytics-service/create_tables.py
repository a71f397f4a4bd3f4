"""Creates the tables and indexes; run it as often as you like."""

from analytics_service.bootstrap import bootstrap
from analytics_service.settings import Settings

bootstrap(Settings())
