"""Bytes of unknown origin into clean text, and what looks like a number or a moment into one."""

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
NO_TIME = "is no time that can be read, or before 2000, or in the future; it counts as unknown"
_MILLISECONDS = 100_000_000_000
"""From here on a number of seconds would lie after the year 5000: it counts milliseconds."""


def decode(raw: bytes) -> tuple[str, str]:
    """The text, and the encoding it was read in; whatever the bytes are, they are read as something."""
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
    """What a coding comment of Python says, where it names an encoding of text."""
    try:
        encoding, _ = detect_encoding(BytesIO(raw).readline)
    except SyntaxError:
        return []
    return [encoding] if _PLAIN_ENCODING.match(encoding) else []


def clean(text: str) -> str:
    """The text as a database can keep it: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_json(value: Any) -> Any:
    """A JSON value as a JSONB column can keep it: clean texts, and no number that is none."""
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


def whole_number(value: object) -> int | None:
    """5, 5.0, "5" and " 5 " are five; true is no number."""
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


def truth(value: object) -> bool | None:
    """SQLite and JSON say it in several ways."""
    match value:
        case bool():
            return value
        case 0 | 1:
            return bool(value)
        case str() if value.strip().lower() in ("true", "yes", "1", "false", "no", "0"):
            return value.strip().lower() in ("true", "yes", "1")
        case _:
            return None


def moment(value: object, zone: tzinfo = UTC) -> datetime | None:
    """ISO 8601, SQLite's form or Unix time, in the given zone where it names none.

    None where it is no time, or one before the year 2000 or after now.
    """
    try:
        match value:
            case bool():
                return None
            case int() | float():
                seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
                found = datetime.fromtimestamp(seconds, UTC)
            case str() if re.fullmatch(r"\s*[0-9]{9,13}(\.[0-9]+)?\s*", value):
                return moment(float(value))
            case str():
                found = datetime.fromisoformat(value.strip())
                found = found if found.tzinfo else found.replace(tzinfo=zone)
            case _:
                return None
        found = found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if _EARLIEST <= found <= utc_now() + _CLOCK_SKEW else None
