"""Converts bytes of unknown encoding to text, and JSON or SQLite values to numbers, booleans and times."""

import codecs
import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from io import BytesIO
from tokenize import detect_encoding
from typing import Any

from cogniflow_kit.ids import utc_now

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PLAIN_ENCODING = re.compile(
    r"(utf-8|ascii|iso-?8859-\d+|cp\d+|windows-\d+|koi8-[ru]|mac-?roman|latin-?\d)", re.I
)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(days=1)
UNREADABLE_TIME = "is no time that can be read, or before 2000, or in the future; it counts as unknown"
_MILLISECONDS = 100_000_000_000
"""Unix times from here on are in milliseconds; as seconds they would lie after the year 5000."""


def decode(raw: bytes) -> tuple[str, str]:
    """Return the text and its encoding. Never fails: the last resort is latin-1."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return raw.decode(encoding, "replace"), encoding
    for encoding in ("utf-8", *_declared(raw)):
        try:
            return raw.decode(encoding), encoding
        except (LookupError, ValueError):
            continue
    return raw.decode("latin-1"), "latin-1"


def _declared(raw: bytes) -> list[str]:
    """The encoding that a Python coding comment declares, if it is a text encoding."""
    try:
        encoding, _ = detect_encoding(BytesIO(raw).readline)
    except SyntaxError:
        return []
    return [encoding] if _PLAIN_ENCODING.match(encoding) else []


def clean(text: str) -> str:
    """Remove what PostgreSQL can't store: NUL and unpaired surrogates."""
    return text.replace("\x00", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_json(value: Any) -> Any:
    """Make a JSON value storable as JSONB: clean texts; infinity and NaN become null."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(str(key)): clean_json(entry) for key, entry in value.items()}
        case list():
            return [clean_json(entry) for entry in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def parse_int(value: object) -> int | None:
    """Accepts 5, 5.0, "5" and " 5 ", but no boolean. None for anything else or beyond 32 bits."""
    match value:
        case bool():
            return None
        case int():
            return value if abs(value) < 2**31 else None
        case float():
            return int(value) if math.isfinite(value) and value == int(value) and abs(value) < 2**31 else None
        case str():
            return int(value) if re.fullmatch(r"\s*-?[0-9]{1,9}\s*", value) else None
        case _:
            return None


def parse_bool(value: object) -> bool | None:
    """Accepts true, 1, "1", "true", "yes" and their opposites; None for anything else."""
    match value:
        case bool():
            return value
        case 0 | 1:
            return bool(value)
        case str() if value.strip().lower() in ("true", "yes", "1", "false", "no", "0"):
            return value.strip().lower() in ("true", "yes", "1")
        case _:
            return None


def parse_time(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Parse ISO 8601, SQLite's form or Unix time; `zone` applies to times without a zone.

    Returns None for anything else, and for times before the year 2000 or in the future.
    """
    try:
        match value:
            case bool():
                return None
            case int() | float():
                seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
                found = datetime.fromtimestamp(seconds, UTC)
            case str() if re.fullmatch(r"\s*[0-9]{9,13}(\.[0-9]+)?\s*", value):
                return parse_time(float(value))
            case str():
                found = datetime.fromisoformat(value.strip())
                found = found if found.tzinfo else found.replace(tzinfo=zone)
            case _:
                return None
        found = found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if _EARLIEST <= found <= utc_now() + _CLOCK_SKEW else None
