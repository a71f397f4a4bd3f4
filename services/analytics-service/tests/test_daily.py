"""The daily counts: computed from the log by the job, stored in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from analytics_service.activity.daily_counts_job import DailyCountsJob
from analytics_service.activity.repository import ActivityLogRepository
from analytics_service.documents import INTERACTION_LOGS
from analytics_service.tables import CourseDay

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def daily_counts_job(database, mongo):
    return DailyCountsJob(database, ActivityLogRepository(mongo))


def rows(database):
    """Every stored count, in order."""
    columns = (CourseDay.course_id, CourseDay.day, CourseDay.type, CourseDay.events, CourseDay.learners)
    with database.transaction() as db:
        return [tuple(row) for row in db.execute(select(*columns).order_by(*columns))]


def test_daily_counts_equal_the_log(daily_counts_job, database, deliver, make_event):
    course, maja = uuid4(), uuid4()
    deliver(
        make_event(course_id=course, actor_id=maja, occurred_at=NOON),
        make_event(course_id=course, actor_id=maja, occurred_at=NOON + timedelta(hours=11)),
        make_event(course_id=course, actor_id=None, occurred_at=NOON + timedelta(hours=1)),
        make_event(course_id=course, actor_id=uuid4(), occurred_at=NOON + timedelta(hours=12)),
        make_event("course.imported", course_id=course, occurred_at=NOON),
        make_event("user.logged_in", occurred_at=NOON),
    )
    assert daily_counts_job.run() == [date(2026, 3, 2), date(2026, 3, 3)]
    assert rows(database) == [
        (course, date(2026, 3, 2), "course.imported", 1, 0),
        (course, date(2026, 3, 2), "lesson.completed", 3, 1),
        (course, date(2026, 3, 3), "lesson.completed", 1, 1),
    ]


def test_repeated_run_gives_the_same_rows(daily_counts_job, database, deliver, make_event):
    deliver(*(make_event(course_id=uuid4(), occurred_at=NOON) for _ in range(20)))
    daily_counts_job.run()
    first = rows(database)
    daily_counts_job.run()
    assert len(first) == 20
    assert rows(database) == first


def test_late_events_are_counted_on_the_day_they_occurred(daily_counts_job, database, deliver, make_event):
    course = uuid4()
    deliver(make_event(course_id=course, occurred_at=NOON))
    daily_counts_job.run()
    deliver(make_event(course_id=course, occurred_at=NOON - timedelta(days=9)))
    assert date(2026, 2, 21) in daily_counts_job.run()
    assert [row[1] for row in rows(database)] == [date(2026, 2, 21), date(2026, 3, 2)]


def test_only_days_with_new_events_are_computed(daily_counts_job, mongo, deliver, make_event):
    deliver(make_event(course_id=uuid4(), occurred_at=NOON))
    daily_counts_job.run()
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    mongo.collection(INTERACTION_LOGS).update_many({}, {"$set": {"stored_at": an_hour_ago}})
    assert daily_counts_job.run() == []
    deliver(make_event(course_id=uuid4(), occurred_at=NOON + timedelta(days=1)))
    assert daily_counts_job.run() == [date(2026, 3, 3)]


def test_events_deleted_from_the_log_are_not_counted(daily_counts_job, database, mongo, deliver, make_event):
    gone, kept = uuid4(), uuid4()
    deliver(make_event(course_id=gone, occurred_at=NOON), make_event(course_id=kept, occurred_at=NOON))
    daily_counts_job.run()
    mongo.collection(INTERACTION_LOGS).delete_many({"course_id": gone})
    daily_counts_job.run()
    assert [row[0] for row in rows(database)] == [kept]


def test_concurrent_runs_count_each_event_once(committing_database, mongo, deliver, make_event):
    course = uuid4()
    deliver(*(make_event(course_id=course, occurred_at=NOON + timedelta(days=n % 5)) for n in range(50)))
    with ThreadPoolExecutor(4) as pool:
        for future in [
            pool.submit(DailyCountsJob(committing_database, ActivityLogRepository(mongo)).run)
            for _ in range(8)
        ]:
            assert len(future.result()) == 5
    assert [row[3:] for row in rows(committing_database)] == [(10, 10)] * 5


def test_failed_run_is_repeated_with_the_same_events(daily_counts_job, database, mongo, deliver, make_event):
    deliver(make_event(course_id=uuid4(), occurred_at=NOON))

    class Broken(ActivityLogRepository):
        def count_day(self, day):
            raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError):
        DailyCountsJob(database, Broken(mongo)).run()
    assert daily_counts_job.run() == [date(2026, 3, 2)]


def test_instructor_reads_daily_counts(client, teacher, daily_counts_job, deliver, make_event):
    url = f"/api/analytics/courses/{teacher.course_id}/daily"
    before = client.get(url, headers=teacher.headers).json()
    assert before["as_of"] is None
    assert before["days"] == []
    last, first = (datetime.fromisoformat(before[end]) for end in ("last_day", "first_day"))
    assert last - first == timedelta(days=29)

    deliver(make_event(course_id=teacher.course_id, occurred_at=NOON), make_event(course_id=uuid4()))
    started = datetime.now(UTC)
    daily_counts_job.run()
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
def test_invalid_days_are_refused(client, teacher, day):
    url = f"/api/analytics/courses/{teacher.course_id}/daily"
    assert client.get(url, params={"first_day": day}, headers=teacher.headers).status_code == 422


def test_first_and_last_dates_of_the_calendar_are_accepted(client, teacher):
    url = f"/api/analytics/courses/{teacher.course_id}/daily"
    period = {"first_day": "0001-01-01", "last_day": "9999-12-31"}
    daily = client.get(url, params=period, headers=teacher.headers).json()
    assert (daily["first_day"], daily["last_day"]) == ("2099-01-01", "2100-01-01")
    assert client.get(url, params={"last_day": "0001-01-01"}, headers=teacher.headers).status_code == 200
