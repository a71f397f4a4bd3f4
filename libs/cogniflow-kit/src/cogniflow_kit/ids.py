"""Identifiers and time, the same way everywhere."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): ids sort by the time they were made."""
    return uuid_utils.compat.uuid7()


def utc_now() -> datetime:
    """The present moment, always with its zone."""
    return datetime.now(UTC)
