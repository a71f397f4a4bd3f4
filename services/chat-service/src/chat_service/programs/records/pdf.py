"""Formats transcripts as tagged PDF with title and language, for screen readers."""

import json
import re
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from threading import BoundedSemaphore
from typing import Any

from chat_service.programs.records.errors import TranscriptBusy, TranscriptTooLong
from chat_service.programs.records.transcript import Transcript

MAX_CHARACTERS = 400_000
"""About 250 pages; typesetting them takes less than 200 MB and one second."""
_TOO_LONG = 3
_TIMEOUT_S = 20.0
_WAIT_S = 10.0
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{4})?(?:[-_]([A-Za-z]{2}))?(?:[-_].*)?")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
# One thread, because each of Typst's threads keeps memory of its own.
_ENVIRONMENT = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
_typesetter = BoundedSemaphore(1)
# Each waiting request holds a thread of the request pool.
_waiting_room = BoundedSemaphore(4)


def render(document: Transcript) -> bytes:
    """Return the PDF. A process makes one at a time, which bounds memory.

    Raises: TranscriptTooLong (more than MAX_CHARACTERS), TranscriptBusy (four
    others wait, or it waited longer than 10 s)
    """
    with _acquired(_waiting_room, wait_s=0), _acquired(_typesetter, wait_s=_WAIT_S):
        return _typeset(json.dumps(_data(document), ensure_ascii=False).encode())


@contextmanager
def _acquired(room: BoundedSemaphore, wait_s: float) -> Iterator[None]:
    if not room.acquire(timeout=wait_s):
        raise TranscriptBusy
    try:
        yield
    finally:
        room.release()


def _typeset(data: bytes) -> bytes:
    """Typeset in a separate process. Its error output is discarded: it could quote the participant."""
    try:
        done = subprocess.run(  # noqa: S603 -- our own module, constant arguments
            [sys.executable, "-m", "chat_service.programs.records.typeset", str(MAX_CHARACTERS)],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            env=_ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TranscriptBusy from error
    # A container without memory left kills its largest process.
    if done.returncode in (_TOO_LONG, -signal.SIGKILL):
        raise TranscriptTooLong
    done.check_returncode()
    return done.stdout


def _data(document: Transcript) -> dict[str, Any]:
    locale = _LOCALE.fullmatch(document.locale)
    data: dict[str, Any] = _printable(asdict(document))
    data["lang"] = locale[1].lower() if locale else "en"
    data["region"] = locale[2].upper() if locale and locale[2] else None
    for chapter in data["chapters"]:
        for section in chapter["sections"]:
            for entry in section["entries"]:
                entry["paragraphs"] = _paragraphs(entry.pop("text"))
    return data


def _paragraphs(text: str) -> list[list[str]]:
    """Split a text into paragraphs, and these into lines."""
    return [part.split("\n") for part in _BLANK_LINES.split(text.strip())]


def _printable(value: Any) -> Any:
    """Remove control characters from all texts, and use `\\n` as line end."""
    if isinstance(value, str):
        text = "\n".join(value.splitlines()).replace("\t", " ")
        return "".join(c for c in text if c == "\n" or unicodedata.category(c) != "Cc")
    if isinstance(value, dict):
        return {key: _printable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(part) for part in value]
    return value
