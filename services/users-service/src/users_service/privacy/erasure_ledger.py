"""The erasure ledger: a file that lists the erasures, outside the databases and their backups.

A backup from before an erasure brings the user's data back when it is
restored; the ledger says whom to erase again. It has one JSON object per line
with ids only, is only appended to, and is on disk before anything is erased.
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
class LedgerEntry:
    """An erasure that has started and can't be canceled any more."""

    request_id: UUID
    user_id: UUID
    requested_at: datetime


class ErasureLedger:
    """Reads and appends to the file. Several processes may append at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, entry: LedgerEntry) -> None:
        """Append the entry unless it is there, and return when it is on disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            present = file.read()
            if entry in _entries(present):
                return
            # Ends an incomplete line that a power failure left, so that it doesn't corrupt this one.
            newline = b"" if not present or present.endswith(b"\n") else b"\n"
            file.write(newline + _line(entry))
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def entries(self) -> list[LedgerEntry]:
        try:
            return list(_entries(self._path.read_bytes()))
        except FileNotFoundError:
            return []


def _line(entry: LedgerEntry) -> bytes:
    values = {name: str(value) for name, value in asdict(entry).items()}
    return json.dumps({**values, "noted_at": utc_now().isoformat()}).encode() + b"\n"


def _entries(content: bytes) -> Iterator[LedgerEntry]:
    for line in content.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue  # incomplete, so nothing was erased yet: the erasure job starts again
        yield LedgerEntry(
            UUID(found["request_id"]),
            UUID(found["user_id"]),
            datetime.fromisoformat(found["requested_at"]),
        )
