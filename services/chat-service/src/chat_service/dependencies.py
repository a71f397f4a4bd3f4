"""Dependencies that several features share. Each feature wires its own services in its `dependencies.py`."""

from typing import Annotated

from fastapi import Depends, Header


async def preferred_locale(
    accept_language: Annotated[str, Header(include_in_schema=False)] = "en",
) -> str:
    """Return the first locale of the header Accept-Language, such as `de-CH`."""
    return accept_language.split(",")[0].split(";")[0].strip()


PreferredLocale = Annotated[str, Depends(preferred_locale)]
