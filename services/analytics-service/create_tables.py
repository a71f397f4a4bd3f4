"""Creates tables and indexes. A repetition changes nothing."""

from analytics_service.bootstrap import bootstrap
from analytics_service.settings import Settings

bootstrap(Settings())
