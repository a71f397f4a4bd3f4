"""The daily counts: computed from the log, the same however often, kept in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from analytics_service.activity.log import ActivityLog
from analytics_service.activity.rebuild import DailyRebuild
from analytics_service.documents import INTERACTION_LOGS
from analytics_service.tables import CourseDay

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def rebuild(database, mongo):
    return DailyRebuild(database, ActivityLog(mongo))


def rows(database):
    """Every kept count, in order."""
    columns = (CourseDay.course_id, CourseDay.day, CourseDay.type, CourseDay.events, CourseDay.learners)
    with database.transaction() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(*columns))]


def test_counts_are_those_of_the_log(rebuild, database, deliver, make_event):
    course, maja = uuid4(), uuid4()
    deliver(
        make_event(course_id=course, actor_id=maja, occurred_at=NOON),
        make_event(course_id=course, actor_id=maja, occurred_at=NOON + timedelta(hours=11)),
        make_event(course_id=course, actor_id=None, occurred_at=NOON + timedelta(hours=1)),
        make_event(course_id=course, actor_id=uuid4(), occurred_at=NOON + timedelta(hours=12)),
        make_event("course.imported", course_id=course, occurred_at=NOON),
        make_event("user.logged_in", occurred_at=NOON),
    )
    assert rebuild.run() == [date(2026, 3, 2), date(2026, 3, 3)]
    assert rows(database) == [
        (course, date(2026, 3, 2), "course.imported", 1, 0),
        (course, date(2026, 3, 2), "lesson.completed", 3, 1),
        (course, date(2026, 3, 3), "lesson.completed", 1, 1),
    ]


def test_computing_twice_gives_the_same_rows(rebuild, database, deliver, make_event):
    deliver(*(make_event(course_id=uuid4(), occurred_at=NOON) for _ in range(20)))
    rebuild.run()
    first = rows(database)
    rebuild.run()
    assert len(first) == 20
    assert rows(database) == first


def test_late_events_are_counted_on_their_own_day(rebuild, database, deliver, make_event):
    course = uuid4()
    deliver(make_event(course_id=course, occurred_at=NOON))
    rebuild.run()
    deliver(make_event(course_id=course, occurred_at=NOON - timedelta(days=9)))
    assert date(2026, 2, 21) in rebuild.run()
    assert [row[1] for row in rows(database)] == [date(2026, 2, 21), date(2026, 3, 2)]


def test_only_days_with_news_are_computed(rebuild, mongo, deliver, make_event):
    deliver(make_event(course_id=uuid4(), occurred_at=NOON))
    rebuild.run()
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    mongo.collection(INTERACTION_LOGS).update_many({}, {"$set": {"stored_at": an_hour_ago}})
    assert rebuild.run() == []
    deliver(make_event(course_id=uuid4(), occurred_at=NOON + timedelta(days=1)))
    assert rebuild.run() == [date(2026, 3, 3)]


def test_what_left_the_log_leaves_the_counts(rebuild, database, mongo, deliver, make_event):
    gone, kept = uuid4(), uuid4()
    deliver(make_event(course_id=gone, occurred_at=NOON), make_event(course_id=kept, occurred_at=NOON))
    rebuild.run()
    mongo.collection(INTERACTION_LOGS).delete_many({"course_id": gone})
    rebuild.run()
    assert [row[0] for row in rows(database)] == [kept]


def test_computing_at_the_same_time_counts_once(committing, mongo, deliver, make_event):
    course = uuid4()
    deliver(*(make_event(course_id=course, occurred_at=NOON + timedelta(days=n % 5)) for n in range(50)))
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(DailyRebuild(committing, ActivityLog(mongo)).run) for _ in range(8)]:
            assert len(future.result()) == 5
    assert [row[3:] for row in rows(committing)] == [(10, 10)] * 5


def test_a_failed_run_reads_the_same_events_again(rebuild, database, mongo, deliver, make_event):
    deliver(make_event(course_id=uuid4(), occurred_at=NOON))

    class Broken(ActivityLog):
        def day(self, day):
            raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError):
        DailyRebuild(database, Broken(mongo)).run()
    assert rebuild.run() == [date(2026, 3, 2)]


def test_the_instructor_reads_them(client, teacher, rebuild, deliver, make_event):
    url = f"/api/analytics/courses/{teacher.course_id}/daily"
    before = client.get(url, headers=teacher.headers).json()
    assert before["as_of"] is None
    assert before["days"] == []
    last, first = (datetime.fromisoformat(before[end]) for end in ("last_day", "first_day"))
    assert last - first == timedelta(days=29)

    deliver(make_event(course_id=teacher.course_id, occurred_at=NOON), make_event(course_id=uuid4()))
    started = datetime.now(UTC)
    rebuild.run()
    period = {"first_day": "2026-03-02", "last_day": "2026-03-02"}
    daily = client.get(url, params=period, headers=teacher.headers).json()
    assert datetime.fromisoformat(daily.pop("as_of")) >= started
    assert daily == {
        "course_id": str(teacher.course_id),
        **period,
        "days": [{"day": "2026-03-02", "type": "lesson.completed", "events": 1, "learners": 1}],
    }
    for outside in ({"last_day": "2026-03-01"}, {"first_day": "2026-03-03"}):
        assert client.get(url, params=outside, headers=teacher.headers).json()["days"] == []


@pytest.mark.parametrize("day", ["monday", "2026-02-30", "2026-03-02T12:00:00Z", "0", ""])
def test_days_are_checked(client, teacher, day):
    url = f"/api/analytics/courses/{teacher.course_id}/daily"
    assert client.get(url, params={"first_day": day}, headers=teacher.headers).status_code == 422


def test_the_ends_of_the_calendar_do_no_harm(client, teacher):
    url = f"/api/analytics/courses/{teacher.course_id}/daily"
    period = {"first_day": "0001-01-01", "last_day": "9999-12-31"}
    daily = client.get(url, params=period, headers=teacher.headers).json()
    assert (daily["first_day"], daily["last_day"]) == ("2099-01-01", "2100-01-01")
    assert client.get(url, params={"last_day": "0001-01-01"}, headers=teacher.headers).status_code == 200
