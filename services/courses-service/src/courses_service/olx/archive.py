"""Reads a course archive without unpacking it anywhere: names and texts in memory, under limits.

No file is ever written, so no path can leave a target; paths that try, links
and devices are refused all the same, because no honest archive holds them.
"""

import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from courses_service.olx.errors import ArchiveTooLarge, MalformedArchive

MIB = 1 << 20
MAX_UNPACKED = 512 * MIB
MAX_MEMBERS = 20_000
MAX_FILE = 128 * MIB
MAX_TEXT = 2 * MIB
MAX_TEXTS = 32 * MIB
MAX_HEADER = 16 << 10
MAX_PATH = 500
MAX_RATIO = 100
RATIO_COUNTS_FROM = 4 * MIB
"""Small archives of empty files pack better than any limit; a bomb doesn't stay small."""

_GZIP = 16 + zlib.MAX_WBITS
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_TEXT_SUFFIXES = frozenset({".xml", ".html", ".htm"})
_DAMAGE = (
    EOFError,
    OSError,
    OverflowError,
    RecursionError,
    UnicodeError,
    ValueError,
    tarfile.TarError,
    zlib.error,
)


@dataclass(frozen=True)
class Archive:
    """Paths are relative to the folder that holds `course.xml`.

    `texts` has the contents of XML and HTML files outside `static/`; `files`
    names every file of the archive, those outside the course's folder too.
    """

    texts: dict[str, bytes]
    files: tuple[str, ...]


class _Unpacked(io.BufferedIOBase):
    """The unpacked bytes of a gzip stream, read forwards once, under limits."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._inflater = zlib.decompressobj(wbits=_GZIP)
        self._position = 0
        self._header = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """What tarfile asks for: headers, which are small."""
        if size is None or not 0 <= size <= MAX_HEADER:
            raise MalformedArchive("A header in the archive has an impossible size.")
        self._header = self._take(size)
        return self._header

    def content(self, member: tarfile.TarInfo) -> bytes:
        self.seek(member.offset_data)
        data = self._take(member.size)
        if len(data) < member.size:
            raise MalformedArchive("The archive ends in the middle of a file.")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if offset < self._position or whence != io.SEEK_SET:
            raise MalformedArchive("The archive's headers point backwards.")
        while self._position < offset and self._take(min(MIB, offset - self._position)):
            pass
        return self._position

    def tell(self) -> int:
        return self._position

    def finish(self) -> None:
        """Verify the end mark, which tarfile takes any damage for, and gzip's checksum."""
        if len(self._header) != tarfile.BLOCKSIZE or self._header.strip(b"\0"):
            raise MalformedArchive("The archive is damaged or cut off.")
        while self._take(MIB):
            pass
        if self._inflater.unused_data.strip(b"\0"):
            raise MalformedArchive("Something follows the end of the archive.")

    def _take(self, size: int) -> bytes:
        data = b"".join(self._inflate(size))
        self._position += len(data)
        if self._position > MAX_UNPACKED:
            raise ArchiveTooLarge(f"Unpacked, the archive is larger than {MAX_UNPACKED // MIB} MiB.")
        if self._position > RATIO_COUNTS_FROM and self._position > MAX_RATIO * self._packed.tell():
            raise ArchiveTooLarge(f"The archive unpacks to more than {MAX_RATIO} times its size.")
        return data

    def _inflate(self, size: int) -> Iterator[bytes]:
        while size > 0 and not self._inflater.eof:
            packed = self._inflater.unconsumed_tail or self._packed.read(64 << 10)
            data = self._inflater.decompress(packed, size)
            if not packed and not data:
                raise MalformedArchive("The archive is cut off.")
            size -= len(data)
            yield data


def read_archive(packed: BinaryIO) -> Archive:
    """Read a gzip-compressed tar file.

    Raises MalformedArchive for what isn't one or isn't honest, and
    ArchiveTooLarge at the first limit passed, before anything big is in memory.
    """
    unpacked = _Unpacked(packed)
    try:
        texts, files = _read_members(unpacked)
        unpacked.finish()
    except _DAMAGE as error:
        raise MalformedArchive("The file isn't a readable .tar.gz archive.") from error
    return _below_root(texts, files)


def _read_members(unpacked: _Unpacked) -> tuple[dict[str, bytes], list[str]]:
    texts: dict[str, bytes] = {}
    files: dict[str, None] = {}
    retained = 0
    with tarfile.open(fileobj=unpacked, mode="r:") as tar:
        for count, member in enumerate(tar, start=1):
            if count > MAX_MEMBERS:
                raise ArchiveTooLarge(f"The archive has more than {MAX_MEMBERS} members.")
            path = _accepted_path(member)
            if member.isdir():
                continue
            if path in files:
                raise MalformedArchive(f"The archive holds {path} twice.")
            files[path] = None
            if _is_text(path):
                retained += member.size
                if member.size > MAX_TEXT or retained > MAX_TEXTS:
                    raise ArchiveTooLarge(f"The texts up to {path} are larger than a course's can be.")
                texts[path] = unpacked.content(member)
    return texts, list(files)


def _accepted_path(member: tarfile.TarInfo) -> str:
    if not (member.isdir() or member.isreg()) or member.issparse():
        raise MalformedArchive("The archive holds something other than files and folders.")
    if member.size < 0:
        raise MalformedArchive("A file in the archive has an impossible size.")
    if member.size > MAX_FILE:
        raise ArchiveTooLarge(f"A file in the archive is larger than {MAX_FILE // MIB} MiB.")
    name = member.name
    path = PurePosixPath(name)
    escapes = path.is_absolute() or ".." in path.parts or "\\" in name
    if escapes or len(name) > MAX_PATH or _CONTROLS.search(name):
        raise MalformedArchive("The archive holds a path that isn't an ordinary relative one.")
    return str(path)


def _is_text(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.suffix.lower() in _TEXT_SUFFIXES and "static" not in pure.parts[:2]


def _below_root(texts: dict[str, bytes], files: list[str]) -> Archive:
    """Studio packs everything in one folder, some tools pack it bare."""
    roots = [path for path in texts if PurePosixPath(path).name == "course.xml" and path.count("/") <= 1]
    if not roots:
        raise MalformedArchive("The archive has no course.xml at its top.")
    root = min(roots, key=lambda path: path.count("/")).removesuffix("course.xml")
    return Archive(
        {path.removeprefix(root): data for path, data in texts.items() if path.startswith(root)},
        tuple(path.removeprefix(root) if path.startswith(root) else f"../{path}" for path in files),
    )
