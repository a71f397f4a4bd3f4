"""Export and erasure of a user's personal data: events are anonymized, counts stay."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from analytics_service.activity.service import consecutive_days
from analytics_service.documents import INTERACTION_LOGS
from analytics_service.personal_data import TABLES_WITHOUT_PERSONAL_DATA
from analytics_service.tables import metadata
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.personal_data import ERASE_SCOPE, EXPORT_SCOPE


@pytest.fixture
def users_service(tokens):
    return headers(tokens.service("users-service", "analytics-service", f"{EXPORT_SCOPE} {ERASE_SCOPE}"))


def test_users_and_services_without_scope_are_refused(client, tokens):
    user = tokens.user()
    for method, path, scope in (("GET", "export", ERASE_SCOPE), ("POST", "erase", EXPORT_SCOPE)):
        address = f"/internal/people/{tokens.id_of(user)}/{path}"
        assert client.request(method, address).status_code == 401
        assert client.request(method, address, headers=headers(user)).status_code == 401
        wrong = headers(tokens.service("courses-service", "analytics-service", scope))
        assert client.request(method, address, headers=wrong).status_code == 403


def test_every_table_and_collection_is_listed(client):
    covered = set(client.app.state.personal_data.stores)
    names = {table.name for table in metadata.tables.values()}
    other_stores = {f"mongodb.{INTERACTION_LOGS}", "redis.presence"}
    assert {f"postgresql.{name}" for name in names - TABLES_WITHOUT_PERSONAL_DATA} | other_stores == covered
    assert names >= TABLES_WITHOUT_PERSONAL_DATA
    collections = client.app.state.mongo.database.list_collection_names()
    assert {f"mongodb.{name}" for name in collections} <= covered


def test_erasure_anonymizes_events_and_keeps_counted_fields(
    client, tokens, deliver, make_event, users_service, stored, teacher
):
    user, other, session_id = tokens.user(), tokens.user(), str(uuid4())
    user_id, other_id = tokens.id_of(user), tokens.id_of(other)
    attempt = {"course_id": str(teacher.course_id), "attempt_id": session_id, "score": 3, "max_score": 4}
    deliver(
        make_event("user.logged_in", actor_id=user_id, data={"session_id": session_id}),
        {**make_event("quiz.attempted", actor_id=user_id), "data": attempt},
        {**make_event("quiz.attempted", actor_id=other_id), "data": attempt},
    )
    for token in (user, other):
        assert client.put("/api/presence", headers=headers(token)).status_code == 204

    def exported(user_id):
        return client.get(f"/internal/people/{user_id}/export", headers=users_service).json()["items"]

    before, found = exported(other_id), exported(user_id)
    assert [item["store"] for item in found] == [f"mongodb.{INTERACTION_LOGS}"] * 2 + ["redis.presence"]
    address = f"/internal/people/{user_id}/erase"
    receipt = client.post(address, headers=users_service).json()["erased"]
    assert (receipt["mongodb.interaction_logs"], receipt["redis.presence"]) == (2, 1)
    assert set(client.post(address, headers=users_service).json()["erased"].values()) == {0}
    assert exported(user_id) == []
    assert exported(other_id) == before

    unlinked = [document for document in stored() if document["actor_id"] is None]
    assert [document["data"] for document in unlinked] == [
        {},
        {"course_id": str(teacher.course_id), "score": 3, "max_score": 4},
    ]
    assert str(user_id) not in str(stored())
    path = f"/api/analytics/courses/{teacher.course_id}/activity"
    activity = client.get(path, headers=teacher.headers).json()
    assert activity["by_type"] == {"quiz.attempted": 2}


def test_streak_uses_days_of_the_users_time_zone(client, tokens, deliver, make_event):
    user = tokens.user()
    now = datetime.now(UTC)
    for days in (0, 1, 2, 4):
        deliver(make_event(actor_id=tokens.id_of(user), occurred_at=now - timedelta(days=days)))
    deliver(make_event("user.logged_in", actor_id=tokens.id_of(user), occurred_at=now - timedelta(days=3)))
    for zone in ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"):
        answer = client.get("/api/analytics/streak", params={"timezone": zone}, headers=headers(user))
        assert (answer.json()["days"], answer.json()["timezone"]) == (3, zone)
    assert client.get("/api/analytics/streak", headers=headers(tokens.user())).json()["days"] == 0


@pytest.mark.parametrize("zone", ["Mars/Olympus", "..", "Europe", "/etc/passwd", "a" * 65])
def test_unknown_time_zone_is_refused(client, tokens, zone):
    user = headers(tokens.user())
    assert client.get("/api/analytics/streak").status_code == 401
    answer = client.get("/api/analytics/streak", params={"timezone": zone}, headers=user)
    assert answer.status_code == 422


def test_streak_includes_yesterday_while_today_has_no_activity():
    today = date(2030, 1, 31)
    assert consecutive_days(set(), today) == 0
    assert consecutive_days({date(2030, 1, 30), date(2030, 1, 29)}, today) == 2
    assert consecutive_days({date(2030, 1, 29)}, today) == 0
