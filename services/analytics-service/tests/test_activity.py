"""Course activity over HTTP, counted from the log."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cogniflow_dev.testing.tokens import headers


def url(course_id: object, what: str = "activity") -> str:
    return f"/api/analytics/courses/{course_id}/{what}"


@pytest.fixture(params=["activity", "daily"])
def what(request):
    """Both routes have the same access rules."""
    return request.param


def test_requests_without_token_are_unauthorized(client, what):
    assert client.get(url(uuid4(), what)).status_code == 401


@pytest.mark.parametrize("role", ["student", "researcher"])
def test_other_roles_are_refused_without_asking_courses_service(client, tokens, courses, role, what):
    token = tokens.user(role)
    course_id = courses.taught_by(token)
    assert client.get(url(course_id, what), headers=headers(token)).status_code == 403
    assert courses.tokens_seen == []


def test_course_of_another_instructor_is_not_found(client, tokens, teacher, what):
    answer = client.get(url(teacher.course_id, what), headers=headers(tokens.user("instructor")))
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("role", ["instructor", "admin"])
def test_unknown_course_is_not_found(client, tokens, courses, role, what):
    answer = client.get(url(uuid4(), what), headers=headers(tokens.user(role)))
    assert answer.status_code == 404


def test_invalid_ids_are_refused(client, tokens, courses, what):
    answer = client.get(url("python-101", what), headers=headers(tokens.user("admin")))
    assert answer.status_code == 422
    assert courses.tokens_seen == []


@pytest.mark.parametrize(
    "moment",
    [
        "yesterday",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "1767225600",
        "",
        "0001-01-01T00:00:00+14:00",
    ],
)
@pytest.mark.parametrize("end", ["since", "until"])
def test_times_without_zone_are_refused(client, teacher, end, moment):
    answer = client.get(url(teacher.course_id), params={end: moment}, headers=teacher.headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(("status", "seen"), [(401, 401), (500, 503), (503, 503), (302, 503), (204, 503)])
def test_unexpected_response_of_courses_service_is_an_error(client, teacher, courses, status, seen):
    courses.status = status
    for what in ("activity", "daily"):
        assert client.get(url(teacher.course_id, what), headers=teacher.headers).status_code == seen


def test_courses_service_is_called_with_the_users_token(client, teacher, courses):
    assert client.get(url(teacher.course_id), headers=teacher.headers).status_code == 200
    assert courses.tokens_seen == [f"Bearer {teacher.token}"]


def test_course_without_events_has_zero_counts(client, teacher, deliver, make_event):
    deliver(make_event(course_id=uuid4()), make_event())
    activity = client.get(url(teacher.course_id), headers=teacher.headers).json()
    period = datetime.fromisoformat(activity.pop("until")) - datetime.fromisoformat(activity.pop("since"))
    assert period == timedelta(days=30)
    assert activity == {
        "course_id": str(teacher.course_id),
        "events": 0,
        "learners": 0,
        "by_type": {},
        "days": [],
    }


def test_events_are_counted_by_type_and_day(client, teacher, deliver, make_event):
    maja, noor = uuid4(), uuid4()

    def event(kind, actor_id, moment):
        return make_event(
            kind, course_id=teacher.course_id, actor_id=actor_id, occurred_at=datetime.fromisoformat(moment)
        )

    deliver(
        event("course.imported", teacher.id, "2026-03-01T08:00:00+00:00"),
        event("enrollment.created", maja, "2026-03-01T09:00:00+00:00"),
        event("enrollment.created", noor, "2026-03-02T09:00:00+00:00"),
        event("lesson.completed", maja, "2026-03-02T10:00:00+00:00"),
        event("lesson.completed", maja, "2026-03-02T11:00:00+00:00"),
        event("tutor.turn_completed", None, "2026-03-02T12:00:00+00:00"),
    )
    period = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-03T00:00:00Z"}
    activity = client.get(url(teacher.course_id), params=period, headers=teacher.headers).json()
    assert activity == {
        "course_id": str(teacher.course_id),
        "since": "2026-03-01T00:00:00Z",
        "until": "2026-03-03T00:00:00Z",
        "events": 6,
        "learners": 2,
        "by_type": {
            "course.imported": 1,
            "enrollment.created": 2,
            "lesson.completed": 2,
            "tutor.turn_completed": 1,
        },
        "days": [
            {
                "day": "2026-03-01",
                "events": 2,
                "learners": 1,
                "by_type": {"course.imported": 1, "enrollment.created": 1},
            },
            {
                "day": "2026-03-02",
                "events": 4,
                "learners": 2,
                "by_type": {"enrollment.created": 1, "lesson.completed": 2, "tutor.turn_completed": 1},
            },
        ],
    }


def test_days_are_utc_days(client, teacher, deliver, make_event):
    for moment in (
        "2026-03-29T00:30:00+02:00",  # still the 28th in UTC
        "2026-03-28T23:30:00-05:00",  # already the 29th
        "2026-03-29T01:59:59+00:00",  # around the hour that Berlin skips
        "2026-03-29T03:00:00+02:00",
    ):
        deliver(make_event(course_id=teacher.course_id, occurred_at=datetime.fromisoformat(moment)))
    period = {"since": "2026-03-28T00:00:00Z", "until": "2026-03-30T00:00:00Z"}
    days = client.get(url(teacher.course_id), params=period, headers=teacher.headers).json()["days"]
    assert [(day["day"], day["events"]) for day in days] == [("2026-03-28", 1), ("2026-03-29", 3)]


def test_since_is_inclusive_and_until_exclusive_in_any_zone(client, teacher, deliver, make_event):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for moment in (start - timedelta(milliseconds=1), start, start + timedelta(hours=1)):
        deliver(make_event(course_id=teacher.course_id, occurred_at=moment))
    period = {"since": "2026-03-01T01:00:00+01:00", "until": "2026-03-01T02:00:00+01:00"}
    activity = client.get(url(teacher.course_id), params=period, headers=teacher.headers).json()
    assert activity["events"] == 1
    assert activity["since"] == "2026-03-01T00:00:00Z"


def test_admin_reads_any_course(client, tokens, teacher, deliver, make_event):
    deliver(make_event(course_id=teacher.course_id))
    activity = client.get(url(teacher.course_id), headers=headers(tokens.user("admin"))).json()
    assert activity["events"] == 1


@pytest.mark.parametrize(
    ("since", "until", "covered"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", ("2098-12-31", "2100-01-01")),
        ("2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z", ("2024-12-31", "2026-01-01")),
        ("2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z", ("2026-01-01", "2025-01-01")),
    ],
)
def test_response_contains_the_counted_period(client, teacher, since, until, covered):
    answer = client.get(
        url(teacher.course_id), params={"since": since, "until": until}, headers=teacher.headers
    )
    assert answer.status_code == 200, answer.text
    activity = answer.json()
    assert (activity["since"][:10], activity["until"][:10]) == covered
    assert activity["events"] == 0
