"""The erasure ledger: who must stay erased, in a file that no restored database takes back.

A backup from before an erasure brings the person back; the ledger, kept
outside the databases, says that they asked to go. One JSON object a line,
only ever appended to, on disk before anything is erased. It holds ids alone.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cogniflow_kit.ids import utc_now


@dataclass(frozen=True)
class Entry:
    """An erasure that has begun and can't be called off any more."""

    request_id: UUID
    user_id: UUID
    requested_at: datetime


class Ledger:
    """The file; services and workers may append at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, entry: Entry) -> None:
        """Return when the entry is on disk; one that is there already is not added again."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            present = file.read()
            if entry in _entries(present):
                return
            # A line that a power cut broke off is closed, so that it spoils no other.
            newline = b"" if not present or present.endswith(b"\n") else b"\n"
            file.write(newline + _line(entry))
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def entries(self) -> list[Entry]:
        try:
            return list(_entries(self._path.read_bytes()))
        except FileNotFoundError:
            return []


def _line(entry: Entry) -> bytes:
    values = {name: str(value) for name, value in asdict(entry).items()}
    return json.dumps({**values, "noted_at": utc_now().isoformat()}).encode() + b"\n"


def _entries(content: bytes) -> Iterator[Entry]:
    for line in content.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue  # broken off before it was acknowledged: the erasure begins again
        yield Entry(
            UUID(found["request_id"]),
            UUID(found["user_id"]),
            datetime.fromisoformat(found["requested_at"]),
        )
