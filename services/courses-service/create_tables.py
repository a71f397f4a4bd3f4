"""Creates tables, indexes and demo data. A repetition changes nothing."""

from courses_service.bootstrap import bootstrap
from courses_service.settings import Settings

bootstrap(Settings())
