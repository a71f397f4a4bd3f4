"""Profiles and the activity summary."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cogniflow_dev.testing.servers import json_server
from users_service.profiles.activity import TIME_LIMIT_S, ActivityReader

DEFAULTS = {
    "display_name": None,
    "bio": None,
    "preferred_meditation_duration": 10,
    "preferred_mentor_category": None,
    "theme_preference": "system",
    "locale": "en",
    "timezone": "UTC",
}


@pytest.fixture
def as_maja(client, make_user, log_in):
    make_user("maja")
    return {"Authorization": f"Bearer {log_in(client, 'maja').json()['access_token']}"}


@pytest.mark.parametrize("path", ["/api/profile", "/api/profile/activity"])
def test_a_profile_needs_a_token(client, path):
    assert client.get(path).status_code == 401
    assert client.put("/api/profile", json={}).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"theme_preference": "neon"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"timezone": None},
        {"locale": "english please"},
        {"locale": "e"},
        {"preferred_meditation_duration": 0},
        {"preferred_meditation_duration": 181},
        {"preferred_meditation_duration": "10"},
        {"display_name": ""},
        {"bio": "x" * 2001},
        {"bio": "a\x00b"},
        {"user_id": "019aa0a0-0000-7000-8000-000000000000"},
    ],
)
def test_invalid_profiles_are_refused(client, as_maja, wrong):
    answer = client.put("/api/profile", json=wrong, headers=as_maja)
    assert answer.status_code == 422
    assert client.get("/api/profile", headers=as_maja).json().items() >= DEFAULTS.items()


@pytest.mark.parametrize(
    "locale", ["en", "de-DE", "zh-Hant-TW", "sl-rozaj-biske", "es-419", "de-DE-u-co-phonebk"]
)
def test_language_tags(client, as_maja, locale):
    assert client.put("/api/profile", json={"locale": locale}, headers=as_maja).json()["locale"] == locale


def test_missing_fields_stay_and_null_removes_texts(client, as_maja):
    first = {
        "display_name": "Maja 🌱",
        "bio": "Learns.",
        "timezone": "Europe/Ljubljana",
        "theme_preference": "dark",
    }
    assert client.put("/api/profile", json=first, headers=as_maja).json().items() >= first.items()
    changed = client.put("/api/profile", json={"bio": None, "locale": "sl"}, headers=as_maja).json()
    assert changed.items() >= {**first, "bio": None, "locale": "sl"}.items()
    assert client.get("/api/profile", headers=as_maja).json() == changed


def test_concurrent_first_reads_create_one_profile(committing_client, make_account):
    headers = make_account(committing_client, "maja")
    start = threading.Barrier(8)

    def read(_):
        start.wait()
        return committing_client.get("/api/profile", headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(read, range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


@pytest.fixture
def make_account():
    """Register a user over HTTP and return the headers of their login."""

    def make(client, username):
        password = "a quiet walk at noon"
        body = {
            "username": username,
            "email": f"{username}@example.org",
            "full_name": username.title(),
            "password": password,
        }
        assert client.post("/api/auth/register", json=body).status_code == 201
        pair = client.post("/api/auth/token", data={"username": username, "password": password}).json()
        return {"Authorization": f"Bearer {pair['access_token']}"}

    return make


class OtherServices:
    """The other services' routes of the summary."""

    def __init__(self):
        self.calls = []
        self.slow = threading.Event()
        self.together = threading.Barrier(1)
        self.answers = {
            "/api/courses/activity": (200, {"courses": 2, "lessons": 7}),
            "/api/chat/activity": (200, {"conversations": 3}),
            "/api/analytics/streak": (200, {"days": 5, "today": "2030-01-31", "timezone": "UTC"}),
        }

    def answer(self, call):
        self.together.wait()
        self.calls.append((call.path, dict(call.query), call.headers["Authorization"]))
        found = self.answers[call.path]
        if found is None:
            self.slow.wait(10)
            return 200, {}
        return found


@pytest.fixture
def others():
    return OtherServices()


@pytest.fixture
def summary(settings, others, client, as_maja):
    """Request the summary, with these services as the other ones."""
    with json_server(others.answer) as url:
        urls = dict.fromkeys(("courses_url", "chat_url", "analytics_url"), url)
        client.app.state.activity = ActivityReader(settings.model_copy(update=urls))
        yield lambda: client.get("/api/profile/activity", headers=as_maja)
        others.slow.set()


def test_the_summary_uses_the_callers_token(client, summary, others, as_maja):
    client.put("/api/profile", json={"timezone": "Asia/Tokyo"}, headers=as_maja)
    assert summary().json() == {
        "courses": {"status": "ok", "count": 2},
        "lessons": {"status": "ok", "count": 7},
        "reviews_due": {"status": "not_available_yet", "count": None},
        "conversations": {"status": "ok", "count": 3},
        "journal_entries": {"status": "not_available_yet", "count": None},
        "meditations": {"status": "not_available_yet", "count": None},
        "streak": {"status": "ok", "count": 5},
    }
    assert {call[2] for call in others.calls} == {as_maja["Authorization"]}
    assert ("/api/analytics/streak", {"timezone": "Asia/Tokyo"}, as_maja["Authorization"]) in others.calls


def test_the_services_are_asked_concurrently(summary, others):
    """Each service answers only when all three have been asked."""
    others.together = threading.Barrier(3, timeout=TIME_LIMIT_S)
    found = summary().json()
    assert {found[part]["status"] for part in ("courses", "conversations", "streak")} == {"ok"}


@pytest.mark.parametrize(
    "answer", [(503, {}), (404, {}), (200, ["odd"]), (200, {"conversations": "many"}), None]
)
def test_a_missing_part_is_marked_unavailable(summary, others, answer):
    others.answers["/api/chat/activity"] = answer
    started = time.monotonic()
    found = summary().json()
    assert time.monotonic() - started < 5, "two seconds are promised; three are for a busy machine"
    assert found["conversations"] == {"status": "unavailable", "count": None}
    assert found["lessons"] == {"status": "ok", "count": 7}


def test_without_any_service_the_summary_is_still_returned(client, as_maja):
    answer = client.get("/api/profile/activity", headers=as_maja)
    assert answer.status_code == 200
    assert {answer.json()[part]["status"] for part in ("courses", "conversations", "streak")} == {
        "unavailable"
    }
