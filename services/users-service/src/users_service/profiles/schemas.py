"""Request and response bodies of the profile routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from cogniflow_kit.schemas import RequestBody, ResponseBody
from cogniflow_kit.timezones import Timezone

# The grammar of RFC 5646, section 2.1, without grandfathered tags.
_LANGUAGE = (
    r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
    r"(-[A-WYZa-wyz0-9](-[A-Za-z0-9]{2,8})+)*(-[Xx](-[A-Za-z0-9]{1,8})+)?"
)
Locale = Annotated[str, Field(max_length=64, pattern=f"^{_LANGUAGE}$")]
Theme = Literal["light", "dark", "system"]


def _refuse_strings(value: object) -> object:
    """Refuse "70" and true, accept 70 and 70.0. Pydantic accepts all four, or only 70 in strict mode."""
    if isinstance(value, str | bool):
        raise ValueError("must be a number")  # noqa: TRY004 -- pydantic reports ValueErrors
    return value


Minutes = Annotated[int, Field(ge=1, le=180), BeforeValidator(_refuse_strings)]


class ProfileEdit(RequestBody):
    """Fields left out stay unchanged; null removes a text. The duration is in minutes."""

    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    bio: str | None = Field(default=None, max_length=2000)
    preferred_meditation_duration: Minutes = 10
    preferred_mentor_category: str | None = Field(default=None, min_length=1, max_length=64)
    theme_preference: Theme = "system"
    locale: Locale = "en"
    timezone: Timezone = "UTC"


class ProfileOut(ResponseBody):
    """`preferred_meditation_duration` in minutes, `locale` a BCP 47 tag, `timezone` an IANA name."""

    display_name: str | None
    bio: str | None
    preferred_meditation_duration: int
    preferred_mentor_category: str | None
    theme_preference: Theme
    locale: str
    timezone: str
    updated_at: datetime


class Count(ResponseBody):
    """`unavailable`: the service didn't answer. `not_available_yet`: the platform lacks the feature."""

    status: Literal["ok", "unavailable", "not_available_yet"]
    count: int | None = None


class Activity(ResponseBody):
    """The caller's activity so far. `streak`: consecutive active days in the profile's time zone."""

    courses: Count
    lessons: Count
    reviews_due: Count
    conversations: Count
    journal_entries: Count
    meditations: Count
    streak: Count
