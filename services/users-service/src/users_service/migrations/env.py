"""Alembic environment of users-service."""

from cogniflow_kit.sql.migrations import run_env
from users_service.tables import metadata

run_env(metadata)
