"""Damaged, manipulated and oversized archives are refused."""

import gzip
import io
import random
import tarfile
import tracemalloc

import pytest
from course_archives import SMALL, special, tar, targz

from courses_service.olx import archive as limits
from courses_service.olx.archive import read_archive
from courses_service.olx.errors import ArchiveTooLarge, MalformedArchive


def read(data: bytes) -> limits.Archive:
    return read_archive(io.BytesIO(data))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 not gzip at all", id="not gzip"),
        pytest.param(gzip.compress(b""), id="gzip of nothing"),
        pytest.param(gzip.compress(b"just some text " * 100), id="gzip of no tar"),
        pytest.param(gzip.compress(b"\0" * 10240), id="tar without members"),
        pytest.param(targz(SMALL)[:-20], id="cut off"),
        pytest.param(targz(SMALL)[:200], id="cut off early"),
        pytest.param(targz(SMALL)[:-8] + b"\0" * 8, id="wrong checksum"),
        pytest.param(targz(SMALL) + b"something else", id="something behind it"),
        pytest.param(gzip.compress(tar(SMALL)[:1536]), id="tar cut off at a block"),
        pytest.param(gzip.compress(tar(SMALL)[:1800]), id="tar cut off in a file"),
        pytest.param(gzip.compress(tar(SMALL)[:2048] + b"\x55" * 4096), id="noise in the middle"),
        pytest.param(targz({"readme.txt": "no course here"}), id="no course.xml"),
        pytest.param(targz({"a/b/course.xml": SMALL["course.xml"]}), id="course.xml too deep"),
    ],
)
def test_damaged_archive_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedArchive):
        read(data)


@pytest.mark.parametrize(
    "name",
    [
        "../outside.xml",
        "course/../../outside.xml",
        "/etc/passwd.xml",
        "a\\..\\b.xml",
        "new\nline.xml",
        "x" * 600,
    ],
)
def test_unsafe_path_is_refused(name: str) -> None:
    with pytest.raises(MalformedArchive):
        read(targz({**SMALL, name: "x"}))


@pytest.mark.parametrize(
    "member",
    [
        special("html/link.xml", tarfile.SYMTYPE, "/etc/passwd"),
        special("html/inner.xml", tarfile.SYMTYPE, "h1.xml"),
        special("html/hard.xml", tarfile.LNKTYPE, "html/h1.xml"),
        special("html/device", tarfile.CHRTYPE),
        special("html/disk", tarfile.BLKTYPE),
        special("html/pipe", tarfile.FIFOTYPE),
    ],
    ids=["symlink out", "symlink in", "hard link", "device", "disk", "pipe"],
)
def test_links_and_devices_are_refused(member: tarfile.TarInfo) -> None:
    with pytest.raises(MalformedArchive):
        read(targz(SMALL, member))


def test_duplicate_path_is_refused() -> None:
    doubled = tarfile.TarInfo("course.xml")
    with pytest.raises(MalformedArchive, match="twice"):
        read(targz(SMALL, doubled))


def test_file_name_that_is_not_utf8_is_refused() -> None:
    data = tar({**SMALL, "static/caf_.png": ""}).replace(b"caf_", b"caf\xe9")
    data = _with_checksum(data, b"static/caf\xe9.png")
    with pytest.raises(MalformedArchive):
        read(gzip.compress(data))


def test_decompression_bomb_is_refused_by_ratio_in_little_memory() -> None:
    bomb = targz({**SMALL, "static/zeros": b"\0" * (100 * limits.MIB)})
    assert len(bomb) < limits.MIB
    tracemalloc.start()
    with pytest.raises(ArchiveTooLarge, match="times its size"):
        read(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * limits.MIB


def test_false_member_size_is_refused() -> None:
    huge = special("static/huge.bin", tarfile.REGTYPE)
    huge.size = 1 << 40
    with pytest.raises(ArchiveTooLarge):
        read(targz(SMALL, huge))


def test_sparse_file_is_refused() -> None:
    headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 40), "GNU.sparse.name": "static/hole"}
    sparse = special("static/hole", tarfile.REGTYPE)
    sparse.pax_headers = headers
    with pytest.raises(MalformedArchive):
        read(targz(SMALL, sparse))


def test_large_tar_header_is_refused() -> None:
    wordy = special("static/wordy", tarfile.REGTYPE)
    wordy.pax_headers = {"comment": "x" * (limits.MAX_HEADER_BYTES * 2)}
    with pytest.raises(MalformedArchive):
        read(targz(SMALL, wordy))


def test_number_of_members_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MEMBERS", len(SMALL))
    assert len(read(targz(SMALL)).files) == len(SMALL)
    with pytest.raises(ArchiveTooLarge, match="members"):
        read(targz({**SMALL, "static/one-more": ""}))


def test_text_size_is_limited() -> None:
    noise = random.Random(0).randbytes(limits.MAX_TEXT_BYTES // 2 + 1).hex()
    with pytest.raises(ArchiveTooLarge, match=r"html/long\.html"):
        read(targz({**SMALL, "html/long.html": noise}))


def test_unpacked_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_UNPACKED_BYTES", 50_000)
    with pytest.raises(ArchiveTooLarge, match="Unpacked"):
        read(targz({**SMALL, "static/big.bin": random.Random(0).randbytes(60_000)}))


@pytest.mark.parametrize("prefix", ["", "./", "course/", "some run/"])
def test_course_may_be_at_the_top_or_in_a_folder(prefix: str) -> None:
    archive = read(targz({prefix + name: text for name, text in SMALL.items()}))
    assert set(archive.files) == SMALL.keys()
    assert set(archive.texts) == {name for name in SMALL if not name.startswith("static/")}


def test_files_outside_the_course_folder_are_listed() -> None:
    files = {f"course/{name}": text for name, text in SMALL.items()} | {"._course": "mac"}
    assert "../._course" in read(targz(files)).files


def _with_checksum(data: bytes, name: bytes) -> bytes:
    start = data.rindex(name)
    header = bytearray(data[start : start + 512])
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return data[:start] + bytes(header) + data[start + 512 :]
