"""Creates tables, indexes and demo data; run it as often as you like."""

from courses_service.bootstrap import bootstrap
from courses_service.settings import Settings

bootstrap(Settings())
