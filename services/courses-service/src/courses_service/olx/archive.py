"""Reads a course archive (.tar.gz) into memory under limits, without writing any file.

As nothing is written, no path can escape a target folder. Absolute paths,
paths with `..`, links and devices are refused all the same: an archive that
has them was not made by an authoring tool.
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
MAX_UNPACKED_BYTES = 512 * MIB
MAX_MEMBERS = 20_000
MAX_FILE_BYTES = 128 * MIB
MAX_TEXT_BYTES = 2 * MIB
MAX_TEXTS_BYTES = 32 * MIB
MAX_HEADER_BYTES = 16 << 10
MAX_PATH_LENGTH = 500
MAX_COMPRESSION_RATIO = 100
RATIO_CHECK_FROM_BYTES = 4 * MIB
"""The ratio is checked from this unpacked size on: small archives of empty files exceed any ratio."""

_GZIP = 16 + zlib.MAX_WBITS
_FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_TEXT_SUFFIXES = frozenset({".xml", ".html", ".htm"})
_READ_ERRORS = (
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

    `texts` maps the paths of XML and HTML files outside `static/` to their
    contents. `files` has the path of every file of the archive; paths outside
    the course's folder begin with `../`.
    """

    texts: dict[str, bytes]
    files: tuple[str, ...]


class _GzipStream(io.BufferedIOBase):
    """The unpacked bytes of a gzip file. Reads forward only, and enforces size and ratio limits."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._inflater = zlib.decompressobj(wbits=_GZIP)
        self._position = 0
        self._last_header = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Called by tarfile, which only reads headers."""
        if size is None or not 0 <= size <= MAX_HEADER_BYTES:
            raise MalformedArchive("A header in the archive has an impossible size.")
        self._last_header = self._read_limited(size)
        return self._last_header

    def read_member(self, member: tarfile.TarInfo) -> bytes:
        self.seek(member.offset_data)
        data = self._read_limited(member.size)
        if len(data) < member.size:
            raise MalformedArchive("The archive ends in the middle of a file.")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if offset < self._position or whence != io.SEEK_SET:
            raise MalformedArchive("The archive's headers point backwards.")
        while self._position < offset and self._read_limited(min(MIB, offset - self._position)):
            pass
        return self._position

    def tell(self) -> int:
        return self._position

    def finish(self) -> None:
        """Verify tar's end marker and gzip's checksum. tarfile itself takes any damage for the end marker."""
        if len(self._last_header) != tarfile.BLOCKSIZE or self._last_header.strip(b"\0"):
            raise MalformedArchive("The archive is damaged or cut off.")
        while self._read_limited(MIB):
            pass
        if self._inflater.unused_data.strip(b"\0"):
            raise MalformedArchive("Something follows the end of the archive.")

    def _read_limited(self, size: int) -> bytes:
        data = b"".join(self._inflate(size))
        self._position += len(data)
        if self._position > MAX_UNPACKED_BYTES:
            raise ArchiveTooLarge(f"Unpacked, the archive is larger than {MAX_UNPACKED_BYTES // MIB} MiB.")
        ratio_exceeded = self._position > MAX_COMPRESSION_RATIO * self._packed.tell()
        if self._position > RATIO_CHECK_FROM_BYTES and ratio_exceeded:
            raise ArchiveTooLarge(f"The archive unpacks to more than {MAX_COMPRESSION_RATIO} times its size.")
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

    Raises: MalformedArchive (damaged, or it holds forbidden paths or members);
    ArchiveTooLarge (at the first limit exceeded, before large data is in memory).
    """
    stream = _GzipStream(packed)
    try:
        texts, files = _read_members(stream)
        stream.finish()
    except _READ_ERRORS as error:
        raise MalformedArchive("The file isn't a readable .tar.gz archive.") from error
    return _relative_to_root(texts, files)


def _read_members(stream: _GzipStream) -> tuple[dict[str, bytes], list[str]]:
    texts: dict[str, bytes] = {}
    files: dict[str, None] = {}
    text_bytes = 0
    with tarfile.open(fileobj=stream, mode="r:") as tar:
        for count, member in enumerate(tar, start=1):
            if count > MAX_MEMBERS:
                raise ArchiveTooLarge(f"The archive has more than {MAX_MEMBERS} members.")
            path = _checked_path(member)
            if member.isdir():
                continue
            if path in files:
                raise MalformedArchive(f"The archive holds {path} twice.")
            files[path] = None
            if _is_text(path):
                text_bytes += member.size
                if member.size > MAX_TEXT_BYTES or text_bytes > MAX_TEXTS_BYTES:
                    raise ArchiveTooLarge(f"The texts up to {path} are larger than a course's can be.")
                texts[path] = stream.read_member(member)
    return texts, list(files)


def _checked_path(member: tarfile.TarInfo) -> str:
    if not (member.isdir() or member.isreg()) or member.issparse():
        raise MalformedArchive("The archive holds something other than files and folders.")
    if member.size < 0:
        raise MalformedArchive("A file in the archive has an impossible size.")
    if member.size > MAX_FILE_BYTES:
        raise ArchiveTooLarge(f"A file in the archive is larger than {MAX_FILE_BYTES // MIB} MiB.")
    name = member.name
    path = PurePosixPath(name)
    escapes = path.is_absolute() or ".." in path.parts or "\\" in name
    if escapes or len(name) > MAX_PATH_LENGTH or _FORBIDDEN_CHARACTERS.search(name):
        raise MalformedArchive("The archive holds a path that isn't an ordinary relative one.")
    return str(path)


def _is_text(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.suffix.lower() in _TEXT_SUFFIXES and "static" not in pure.parts[:2]


def _relative_to_root(texts: dict[str, bytes], files: list[str]) -> Archive:
    """Find course.xml: Studio puts it in a folder of the archive, other tools at the top."""
    roots = [path for path in texts if PurePosixPath(path).name == "course.xml" and path.count("/") <= 1]
    if not roots:
        raise MalformedArchive("The archive has no course.xml at its top.")
    root = min(roots, key=lambda path: path.count("/")).removesuffix("course.xml")
    return Archive(
        {path.removeprefix(root): data for path, data in texts.items() if path.startswith(root)},
        tuple(path.removeprefix(root) if path.startswith(root) else f"../{path}" for path in files),
    )
