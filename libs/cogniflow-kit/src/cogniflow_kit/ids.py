"""New ids and the present time."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562); ids sort by creation time."""
    return uuid_utils.compat.uuid7()


def utc_now() -> datetime:
    """The present time as an aware datetime in UTC."""
    return datetime.now(UTC)
