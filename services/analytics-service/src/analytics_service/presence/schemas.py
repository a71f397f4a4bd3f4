"""Response bodies of the presence routes."""

from datetime import datetime
from uuid import UUID

from cogniflow_kit.schemas import ResponseBody


class Sighting(ResponseBody):
    user_id: UUID
    last_seen_at: datetime


class Online(ResponseBody):
    """`online`: number of users seen in the last `window_seconds`. `users`: those whom the caller may see."""

    online: int
    window_seconds: int
    users: list[Sighting]
