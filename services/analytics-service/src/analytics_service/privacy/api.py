"""How many days in a row somebody has been learning."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request

from analytics_service.documents import INTERACTION_LOGS
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.ids import utc_now
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.schemas import ResponseBody
from cogniflow_kit.timezones import Timezone

router = APIRouter(tags=["activity"])

# Every zone's offset is a multiple of this, so a slot lies within one day everywhere.
_SLOT = {"$dateTrunc": {"date": "$occurred_at", "unit": "minute", "binSize": 15}}
# Opening an account and logging in are no learning.
_LEARNING = {"$not": {"$regex": "^user\\."}}


class Streak(ResponseBody):
    """`days` in a row with activity, up to today, or up to yesterday while today has none yet."""

    days: int
    today: date
    timezone: str


@router.get("/api/analytics/streak")
def streak(request: Request, user: CurrentUser, timezone: Timezone = "UTC") -> Streak:
    """The caller's streak; days begin at midnight in `timezone`, an IANA name."""
    zone = ZoneInfo(timezone)
    today = utc_now().astimezone(zone).date()
    mongo: Mongo = request.app.state.mongo
    steps: list[dict[str, Any]] = [
        {"$match": {"actor_id": user.id, "type": _LEARNING}},
        {"$group": {"_id": _SLOT}},
    ]
    with mongo.breaker.guard():
        slots: list[datetime] = [row["_id"] for row in mongo.collection(INTERACTION_LOGS).aggregate(steps)]
    return Streak(
        days=days_in_a_row({slot.astimezone(zone).date() for slot in slots}, today),
        today=today,
        timezone=timezone,
    )


def days_in_a_row(active: set[date], today: date) -> int:
    """How many of the days before and including the last one are active, without a gap."""
    day = today if today in active else today - timedelta(days=1)
    days = 0
    while day in active:
        days += 1
        day -= timedelta(days=1)
    return days
