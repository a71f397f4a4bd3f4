"""Counts over the interaction log in MongoDB, and the daily counts kept in PostgreSQL. Days are UTC days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from analytics_service.documents import INTERACTION_LOGS, STAFF_EVENT_TYPES
from analytics_service.tables import CourseDay, LogPosition
from cogniflow_kit.mongo import Mongo

_DAY = {"$dateTrunc": {"date": "$occurred_at", "unit": "day", "timezone": "UTC"}}
_LEARNERS = {"$match": {"_id.actor": {"$ne": None}, "_id.type": {"$nin": STAFF_EVENT_TYPES}}}

# Every time zone's offset is a multiple of 15 minutes, so that a slot lies within one day in each zone.
_SLOT = {"$dateTrunc": {"date": "$occurred_at", "unit": "minute", "binSize": 15}}
# Events of the account itself, such as logins, are no learning.
_LEARNING = {"$not": {"$regex": "^user\\."}}

_COURSE_ANALYTICS = "course_analytics"


@dataclass(frozen=True)
class CourseCounts:
    """`events` by day and type. `learners`: distinct learners in the whole period, and by day."""

    events: dict[tuple[date, str], int]
    learners: int
    learners_by_day: dict[date, int]


@dataclass(frozen=True)
class CourseTypeCount:
    """Counts of one event type in one course on one day."""

    course_id: UUID
    type: str
    events: int
    learners: int


@dataclass(frozen=True)
class DayTypeCount:
    """Counts of one event type on one day in one course."""

    day: date
    type: str
    events: int
    learners: int


class ActivityLogRepository:
    """Reads the interaction log; the ingest feature writes it."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._logs = mongo.collection(INTERACTION_LOGS)

    def count_course(self, course_id: UUID, since: datetime, until: datetime) -> CourseCounts:
        """Count the events of one course with since <= occurred_at < until."""
        [counts] = self._aggregate(
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
            events={
                (row["_id"]["day"].date(), row["_id"]["type"]): row["events"] for row in counts["events"]
            },
            learners=counts["learners"][0]["count"] if counts["learners"] else 0,
            learners_by_day={row["_id"].date(): row["count"] for row in counts["learners_by_day"]},
        )

    def count_day(self, day: date) -> list[CourseTypeCount]:
        """Count the events of one day by course and type."""
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
            CourseTypeCount(
                course_id=row["_id"]["course"],
                type=row["_id"]["type"],
                events=row["events"],
                learners=0 if row["_id"]["type"] in STAFF_EVENT_TYPES else row["actors"],
            )
            for row in rows
        ]

    def days_stored_since(self, stored_since: datetime | None) -> list[date]:
        """The days, in order, of all events that were stored at or after this time (None: ever)."""
        stored = {} if stored_since is None else {"stored_at": {"$gte": stored_since}}
        rows = self._aggregate({"$match": stored}, {"$group": {"_id": _DAY}}, {"$sort": {"_id": 1}})
        return [row["_id"].date() for row in rows]

    def learning_slots(self, user_id: UUID) -> list[datetime]:
        """The beginnings, in UTC, of the quarters of an hour in which the user was learning."""
        rows = self._aggregate(
            {"$match": {"actor_id": user_id, "type": _LEARNING}}, {"$group": {"_id": _SLOT}}
        )
        return [row["_id"] for row in rows]

    def _aggregate(self, *stages: dict[str, Any]) -> list[dict[str, Any]]:
        with self._mongo.breaker.guard():
            return list(self._logs.aggregate(list(stages)))


class DailyCountRepository:
    """The daily counts in PostgreSQL, and how far into the log they were computed."""

    def __init__(self, db: Session) -> None:
        self._db = db

    def of_course(self, course_id: UUID, first: date, last: date) -> list[DayTypeCount]:
        """Counts from the first to the last day, both inclusive, in order of day and type."""
        rows = self._db.execute(
            select(CourseDay.day, CourseDay.type, CourseDay.events, CourseDay.learners)
            .where(CourseDay.course_id == course_id, CourseDay.day.between(first, last))
            .order_by(CourseDay.day, CourseDay.type)
        )
        return [DayTypeCount(*row) for row in rows]

    def lock_day(self, day: date) -> None:
        """Make other computations of this day wait until the transaction ends."""
        number = day.toordinal()
        self._db.execute(select(func.pg_advisory_xact_lock(func.hashtext("course_analytics"), number)))

    def replace_day(self, day: date, counts: Sequence[CourseTypeCount]) -> None:
        self._db.execute(delete(CourseDay).where(CourseDay.day == day))
        if counts:
            self._db.execute(insert(CourseDay), [{"day": day, **vars(count)} for count in counts])

    def read_to(self) -> datetime | None:
        """The counts contain every event stored before this time. None before the first computation."""
        return self._db.scalar(select(LogPosition.read_to).where(LogPosition.name == _COURSE_ANALYTICS))

    def set_read_to(self, read_to: datetime) -> None:
        """Store the position, unless a later one is stored already."""
        new = upsert(LogPosition).values(name=_COURSE_ANALYTICS, read_to=read_to)
        later = func.greatest(LogPosition.read_to, new.excluded.read_to)
        self._db.execute(
            new.on_conflict_do_update(index_elements=[LogPosition.name], set_={"read_to": later})
        )
