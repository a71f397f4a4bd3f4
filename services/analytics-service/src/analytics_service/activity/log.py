"""Counts over the interaction log. Days are cut in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from analytics_service.documents import INTERACTION_LOGS, STAFF_TYPES
from cogniflow_kit.mongo import Mongo

_DAY = {"$dateTrunc": {"date": "$occurred_at", "unit": "day", "timezone": "UTC"}}
_LEARNERS = {"$match": {"_id.actor": {"$ne": None}, "_id.type": {"$nin": STAFF_TYPES}}}


@dataclass(frozen=True)
class CourseCounts:
    """`events` by day and type; `learners` distinct people in all, and by day."""

    events: dict[tuple[date, str], int]
    learners: int
    learners_by_day: dict[date, int]


@dataclass(frozen=True)
class DayRow:
    course_id: UUID
    type: str
    events: int
    learners: int


class ActivityLog:
    """Reads; `ingest` is the only writer."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._logs = mongo.collection(INTERACTION_LOGS)

    def course(self, course_id: UUID, since: datetime, until: datetime) -> CourseCounts:
        """The events of one course with since <= occurred_at < until."""
        [found] = self._aggregate(
            {"$match": {"course_id": course_id, "occurred_at": {"$gte": since, "$lt": until}}},
            {
                "$group": {
                    "_id": {"day": _DAY, "type": "$type", "actor": "$actor_id"},
                    "events": {"$sum": 1},
                }
            },
            {
                "$facet": {
                    "events": [
                        {
                            "$group": {
                                "_id": {"day": "$_id.day", "type": "$_id.type"},
                                "events": {"$sum": "$events"},
                            }
                        },
                        {"$sort": {"_id": 1}},
                    ],
                    "learners": [_LEARNERS, {"$group": {"_id": "$_id.actor"}}, {"$count": "count"}],
                    "learners_by_day": [
                        _LEARNERS,
                        {"$group": {"_id": {"day": "$_id.day", "actor": "$_id.actor"}}},
                        {"$group": {"_id": "$_id.day", "count": {"$sum": 1}}},
                    ],
                }
            },
        )
        return CourseCounts(
            events={(row["_id"]["day"].date(), row["_id"]["type"]): row["events"] for row in found["events"]},
            learners=found["learners"][0]["count"] if found["learners"] else 0,
            learners_by_day={row["_id"].date(): row["count"] for row in found["learners_by_day"]},
        )

    def day(self, day: date) -> list[DayRow]:
        """The events of one day, by course and type."""
        start = datetime.combine(day, time.min, UTC)
        rows = self._aggregate(
            {
                "$match": {
                    "occurred_at": {"$gte": start, "$lt": start + timedelta(days=1)},
                    "course_id": {"$ne": None},
                }
            },
            {
                "$group": {
                    "_id": {"course": "$course_id", "type": "$type", "actor": "$actor_id"},
                    "events": {"$sum": 1},
                }
            },
            {
                "$group": {
                    "_id": {"course": "$_id.course", "type": "$_id.type"},
                    "events": {"$sum": "$events"},
                    "actors": {"$sum": {"$cond": [{"$eq": ["$_id.actor", None]}, 0, 1]}},
                }
            },
        )
        return [
            DayRow(
                course_id=row["_id"]["course"],
                type=row["_id"]["type"],
                events=row["events"],
                learners=0 if row["_id"]["type"] in STAFF_TYPES else row["actors"],
            )
            for row in rows
        ]

    def days_stored_since(self, moment: datetime | None) -> list[date]:
        """The days on which events occurred that were stored at or after `moment` (None: all), in order."""
        stored = {} if moment is None else {"stored_at": {"$gte": moment}}
        rows = self._aggregate({"$match": stored}, {"$group": {"_id": _DAY}}, {"$sort": {"_id": 1}})
        return [row["_id"].date() for row in rows]

    def _aggregate(self, *stages: dict[str, Any]) -> list[dict[str, Any]]:
        with self._mongo.breaker.guard():
            return list(self._logs.aggregate(list(stages)))
