"""Alembic's way into this service's tables."""

from cogniflow_kit.sql.migrations import run_env
from courses_service.tables import metadata

run_env(metadata)
