"""Alembic environment of courses-service."""

from cogniflow_kit.sql.migrations import run_env
from courses_service.tables import metadata

run_env(metadata)
