"""Alembic environment of analytics-service."""

from analytics_service.tables import metadata
from cogniflow_kit.sql.migrations import run_env

run_env(metadata)
