"""Bodies of the profile routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from cogniflow_kit.schemas import RequestBody, ResponseBody
from cogniflow_kit.timezones import Timezone

# The grammar of RFC 5646, section 2.1, without the tags it keeps for old times' sake.
_LANGUAGE = (
    r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
    r"(-[A-WYZa-wyz0-9](-[A-Za-z0-9]{2,8})+)*(-[Xx](-[A-Za-z0-9]{1,8})+)?"
)
Locale = Annotated[str, Field(max_length=64, pattern=f"^{_LANGUAGE}$")]
Theme = Literal["light", "dark", "system"]


def _refuse_words(value: object) -> object:
    """JSON's 70.0 is an integer, its "70" and true are none; pydantic alone takes all or only 70."""
    if isinstance(value, str | bool):
        raise ValueError("must be a number")  # noqa: TRY004 -- pydantic reports ValueErrors
    return value


Minutes = Annotated[int, Field(ge=1, le=180), BeforeValidator(_refuse_words)]


class ProfileEdit(RequestBody):
    """What is left out stays as it is; null takes a text away. The duration is in minutes."""

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
    """`unavailable`: it couldn't be had just now. `not_available_yet`: this platform doesn't have it."""

    status: Literal["ok", "unavailable", "not_available_yet"]
    count: int | None = None


class Activity(ResponseBody):
    """What the caller did so far. `streak`: days in a row with activity, in the profile's time zone."""

    courses: Count
    lessons: Count
    reviews_due: Count
    conversations: Count
    journal_entries: Count
    meditations: Count
    streak: Count
