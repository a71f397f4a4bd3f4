"""Creates tables, indexes and demo data; run it as often as you like."""

from courses_service.prepare import prepare
from courses_service.settings import Settings

prepare(Settings())
