"""Alembic's way into this service's tables."""

from chat_service.tables import metadata
from cogniflow_kit.sql.migrations import run_env

run_env(metadata)
