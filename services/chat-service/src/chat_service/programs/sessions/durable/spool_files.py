"""Lines that are on the disk before anybody is told of them, or not there at all."""

import os
from contextlib import suppress
from pathlib import Path

from chat_service.fault_points import reach


def append(path: Path, line: bytes, at: int) -> None:
    """Write the line behind the first `at` bytes, which are all that counts, and flush it.

    Raises OSError, for instance when the disk is full; what counted before still does then.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, at)
        try:
            _write(descriptor, line, at)
            reach("spooling")
            os.fsync(descriptor)
            if at == 0:
                flush_folder(path.parent)
        except OSError:
            # If this fails too, the next append does it.
            with suppress(OSError):
                os.ftruncate(descriptor, at)
            raise
    finally:
        os.close(descriptor)


def _write(descriptor: int, line: bytes, at: int) -> None:
    """A nearly full disk takes a part and says so; only the next write fails."""
    written = 0
    while written < len(line):
        written += os.pwrite(descriptor, line[written:], at + written)


def whole_lines(path: Path, start: int = 0) -> list[bytes]:
    """The lines from this byte on that were written to their end; a crash may have cut off the last one."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read().split(b"\n")[:-1]


def flush_folder(folder: Path) -> None:
    """Make the names of files last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
