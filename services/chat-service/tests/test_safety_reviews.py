"""The review queue: whom it lets in, what it tells them, and what it writes down about them."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from chat_service import tables
from cogniflow_dev.testing.tokens import headers

QUEUE = "/api/safety/reviews"
NOWHERE = "0199a1c3-0a00-7b11-9c22-3d44e55f6666"
WORDS = "My zebra left me and I don't want to live anymore."


@pytest.fixture
def admin(tokens) -> str:
    return tokens.user("admin")


@pytest.fixture
def as_admin(admin):
    return headers(admin)


@pytest.fixture
def say(client):
    """Somebody says something in the session of a program that they begin with it."""

    def answer(who: dict[str, str], *messages: str) -> str:
        session = client.post("/api/programs/driven/start", headers=who).json()
        for message in messages:
            body = {"text": message, "client_message_id": str(uuid4())}
            path = f"/api/programs/sessions/{session['id']}/answer"
            assert client.post(path, json=body, headers=who).status_code == 200
        return session["id"]

    return answer


@pytest.fixture
def reviews(client, as_admin):
    def items(**query: str) -> list[dict]:
        return client.get(QUEUE, params=query, headers=as_admin).json()["items"]

    return items


@pytest.fixture
def accesses(database):
    def rows() -> list[tuple[str, UUID | None]]:
        with database.transaction() as session:
            found = session.scalars(select(tables.SafetyAccess).order_by(tables.SafetyAccess.access_id))
            return [(access.action, access.review_id) for access in found]

    return rows


@pytest.mark.parametrize(
    ("method", "path"), [("get", QUEUE), ("get", f"{QUEUE}/{NOWHERE}"), ("post", f"{QUEUE}/{NOWHERE}/close")]
)
def test_only_admins_get_in(client, tokens, accesses, method, path):
    body = {"json": {"outcome": "no_action"}} if method == "post" else {}
    assert client.request(method, path, **body).status_code == 401
    for role in ("student", "instructor", "researcher"):
        answer = client.request(method, path, headers=headers(tokens.user(role)), **body)
        assert answer.status_code == 403
    assert accesses() == []


def test_unknown_reviews_are_not_found(client, as_admin, accesses):
    assert client.get(f"{QUEUE}/{NOWHERE}", headers=as_admin).json()["code"] == "review_not_found"
    closing = client.post(f"{QUEUE}/{NOWHERE}/close", json={"outcome": "referred"}, headers=as_admin)
    assert (closing.status_code, closing.json()["code"]) == (404, "review_not_found")
    assert accesses() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "ignored"},
        {"outcome": None},
        {"outcome": "contacted", "note": "x" * 2001},
        {"outcome": "contacted", "note": "  "},
        {"outcome": "contacted", "status": "open"},
    ],
    ids=str,
)
def test_a_review_is_closed_with_an_outcome_alone(client, say, as_maja, as_admin, reviews, body):
    say(as_maja, WORDS)
    path = f"{QUEUE}/{reviews()[0]['id']}/close"
    assert client.post(path, json=body, headers=as_admin).status_code == 422
    assert reviews()[0]["status"] == "open"


def test_a_detection_is_queued_with_the_message(client, say, as_maja, maja, tokens, as_admin, reviews):
    session_id = say(as_maja, WORDS)
    answer = client.get(QUEUE, headers=as_admin)
    [item] = answer.json()["items"]
    about = {name: item[name] for name in ("category", "severity", "subject", "program", "status", "outcome")}
    assert about == {
        "category": "suicide",
        "severity": "high",
        "subject": "self",
        "program": "driven",
        "status": "open",
        "outcome": None,
    }
    assert "user_id" not in item
    one = client.get(f"{QUEUE}/{item['id']}", headers=as_admin)
    assert (one.json()["session_id"], one.json()["user_id"]) == (session_id, str(tokens.id_of(maja)))
    for told in (answer, one):
        assert "zebra" not in told.text
        assert told.headers["Cache-Control"] == "no-store"


def test_nothing_is_queued_for_an_ordinary_message(say, as_maja, reviews):
    say(as_maja, "This job is killing me, but I like my colleagues.")
    assert reviews() == []


def test_an_anonymous_participant_has_no_id(client, as_admin, reviews):
    begun = client.post("/api/programs/support-intake/start-anonymously", json={"name": "Kim"})
    assert begun.status_code == 201, begun.text
    body = {"text": WORDS, "client_message_id": "one"}
    path = f"/api/programs/sessions/{begun.json()['session']['id']}/answer"
    client.post(path, json=body, headers={"X-Session-Key": begun.json()["session_key"]})
    one = client.get(f"{QUEUE}/{reviews()[0]['id']}", headers=as_admin).json()
    assert (one["program"], one["user_id"]) == ("support-intake", None)


def test_the_queue_is_paged_and_filtered(client, say, tokens, as_admin, reviews):
    for words in ("I feel worthless", WORDS, "I'm going to kill myself tonight", "My brother wants to die"):
        say(headers(tokens.user()), words)
    severities = [item["severity"] for item in reviews()]
    assert severities == ["concern", "high", "imminent", "high"]
    assert [item["category"] for item in reviews(severity="high")] == ["suicide", "somebody_else"]
    first = client.get(QUEUE, params={"limit": 3, "status": "open"}, headers=as_admin).json()
    rest = client.get(QUEUE, params={"limit": 3, "cursor": first["next_cursor"]}, headers=as_admin).json()
    assert [item["id"] for page in (first, rest) for item in page["items"]] == [r["id"] for r in reviews()]
    assert rest["next_cursor"] is None
    assert client.get(QUEUE, params={"status": "lost"}, headers=as_admin).status_code == 422


def test_closing_is_done_once(client, say, as_maja, as_admin, admin, tokens, reviews):
    say(as_maja, WORDS)
    path = f"{QUEUE}/{reviews()[0]['id']}"
    body = {"outcome": "contacted", "note": "Called, is safe."}
    closed = client.post(f"{path}/close", json=body, headers=as_admin)
    assert closed.status_code == 200
    told = closed.json()
    assert (told["status"], told["outcome"], told["note"]) == ("closed", "contacted", "Called, is safe.")
    assert told["reviewer_id"] == str(tokens.id_of(admin))
    other_admin = headers(tokens.user("admin"))
    for repeated in (body, {"outcome": "contacted"}):
        again = client.post(f"{path}/close", json=repeated, headers=other_admin)
        assert (again.status_code, again.json()) == (200, told)
    for changed in ({"outcome": "no_action"}, {"outcome": "contacted", "note": "Something else"}):
        refused = client.post(f"{path}/close", json=changed, headers=as_admin)
        assert (refused.status_code, refused.json()["code"]) == (409, "review_closed")
    assert client.get(path, headers=as_admin).json() == told
    assert reviews(status="open") == []
    assert [item["id"] for item in reviews(status="closed")] == [told["id"]]


def test_every_look_is_written_down(client, say, as_maja, as_admin, reviews, accesses, database):
    say(as_maja, WORDS)
    review_id = reviews()[0]["id"]
    client.get(f"{QUEUE}/{review_id}", headers=as_admin)
    client.post(f"{QUEUE}/{review_id}/close", json={"outcome": "false_alarm"}, headers=as_admin)
    client.post(f"{QUEUE}/{review_id}/close", json={"outcome": "false_alarm"}, headers=as_admin)
    one = UUID(review_id)
    assert accesses() == [("listed", None), ("read", one), ("closed", one), ("read", one)]


def test_a_review_goes_with_its_session(say, as_maja, database, reviews):
    session_id = say(as_maja, WORDS)
    with database.transaction() as session:
        session.execute(text("DELETE FROM sessions WHERE session_id = :id"), {"id": session_id})
        assert session.scalars(select(tables.RiskReview)).all() == []


def test_of_reviewers_at_the_same_time_one_decides(server, tokens, as_maja, committing):
    session = server.post("/api/programs/driven/start", headers=as_maja).json()
    body = {"text": WORDS, "client_message_id": "one"}
    server.post(f"/api/programs/sessions/{session['id']}/answer", json=body, headers=as_maja)
    reviewers = [headers(tokens.user("admin")) for _ in range(6)]
    [review] = server.get(QUEUE, headers=reviewers[0]).json()["items"]

    def close(number: int) -> tuple[int, str | None]:
        body = {"outcome": ("contacted", "referred", "no_action")[number % 3]}
        told = server.post(f"{QUEUE}/{review['id']}/close", json=body, headers=reviewers[number])
        return told.status_code, told.json().get("outcome")

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(close, range(6)))
    assert sorted(status for status, _ in results) == [200, 200, 409, 409, 409, 409]
    assert len({outcome for status, outcome in results if status == 200}) == 1
    with committing.transaction() as session:
        actions = session.scalars(select(tables.SafetyAccess.action)).all()
    assert sorted(actions) == ["closed", "listed", "read"]
