"""Ids that follow from the old keys, so that the same record always becomes the same row."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("4f6a1e0c-6a0b-5d57-9a67-3f0d5a1c2b7e")


def legacy_uuid(*key: object) -> UUID:
    """A UUID of version 5 (RFC 9562); no account and nothing that is made here has one."""
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in key))
