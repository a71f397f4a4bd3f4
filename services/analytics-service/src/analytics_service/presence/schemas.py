"""Who is online, as the API says it."""

from datetime import datetime
from uuid import UUID

from cogniflow_kit.schemas import ResponseBody


class Sighting(ResponseBody):
    user_id: UUID
    last_seen_at: datetime


class Online(ResponseBody):
    """`online` counts everybody seen in the last `window_seconds`; `users` are those the caller may see."""

    online: int
    window_seconds: int
    users: list[Sighting]
