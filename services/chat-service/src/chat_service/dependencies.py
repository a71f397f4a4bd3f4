"""Dependencies that several features share. Each feature wires its own services in its `dependencies.py`."""

import re
from typing import Annotated

from fastapi import Depends, Header

DEFAULT_LOCALE = "en"
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z]{4})?(?:-([A-Za-z]{2}))?(?:-.*)?")

AcceptLanguage = Annotated[str | None, Header(include_in_schema=False)]


async def requested_locale(accept_language: AcceptLanguage = None) -> str | None:
    """Return the first locale of the header Accept-Language as `de` or `de-CH`; None where it names none."""
    first = (accept_language or "").split(",")[0].split(";")[0].strip()
    found = _LOCALE.fullmatch(first)
    if found is None:
        return None
    language, region = found.groups()
    return f"{language.lower()}-{region.upper()}" if region else language.lower()


async def preferred_locale(accept_language: AcceptLanguage = None) -> str:
    """Return the locale as `requested_locale` does; English where the header names none."""
    return await requested_locale(accept_language) or DEFAULT_LOCALE


RequestedLocale = Annotated[str | None, Depends(requested_locale)]
PreferredLocale = Annotated[str, Depends(preferred_locale)]
