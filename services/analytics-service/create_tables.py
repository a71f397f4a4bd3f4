"""Creates the tables and indexes; run it as often as you like."""

from analytics_service.prepare import prepare
from analytics_service.settings import Settings

prepare(Settings())
