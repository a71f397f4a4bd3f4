"""Running sessions stay on their version unless an admin moves them, and then nobody loses their place."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from sqlalchemy import text

from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.ids import new_id

MOVE = "/api/programs/small/versions/2/move"


@pytest.fixture
def begin(client, small, publish, as_admin, tokens):
    """Somebody who began the first version and answered so many questions; returns who, and their session."""
    publish(small())
    client.put("/api/programs/small/labels/production", json={"version": 1}, headers=as_admin)

    def run(answers: int = 0):
        who = headers(tokens.user())
        session = client.post("/api/programs/small/start", headers=who).json()["id"]
        for number in range(answers):
            answer(client, who, session, f"This is my answer number {number}.")
        return who, session

    return run


def answer(http, who, session, words="I think about it a lot."):
    body = {"text": words, "client_message_id": str(new_id())}
    return http.post(f"/api/programs/sessions/{session}/answer", json=body, headers=who)


@pytest.fixture
def view(client):
    return lambda who, session: client.get(f"/api/programs/sessions/{session}", headers=who).json()


@pytest.fixture
def move(client, as_admin):
    def run(dry_run=False, **more):
        answered = client.post(MOVE, json={"dry_run": dry_run, **more}, headers=as_admin)
        assert answered.status_code == 200, answered.text
        return answered.json()

    return run


@pytest.fixture
def rows(database):
    """Everything that says where sessions stand."""

    def read():
        tables = ("sessions", "conversation_states", "user_progress", "conversation_messages")
        with database.transaction() as session:
            return [session.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all() for table in tables]

    return read


def finish(http, who, session):
    """Answer until the program is completed; returns how often that was."""
    for count in range(1, 20):
        said = answer(http, who, session)
        assert said.status_code == 200, said.text
        if said.json()["session_completed"]:
            return count
    raise AssertionError("no end in sight")


def test_only_admins_move_anybody(client, begin, small, publish, tokens, rows):
    begin(1)
    publish(small(2))
    before = rows()
    for role in ("student", "researcher", "instructor"):
        refused = client.post(MOVE, json={"dry_run": False}, headers=headers(tokens.user(role)))
        assert refused.status_code == 403
    assert rows() == before


def test_what_is_not_there_is_refused(client, begin, as_admin):
    begin()
    for slug, version, body in (("small", 2, {}), ("nowhere", 1, {}), ("small", 1, {"from_version": 9})):
        path = f"/api/programs/{slug}/versions/{version}/move"
        assert client.post(path, json=body, headers=as_admin).status_code == 404


def test_a_dry_run_is_the_default_and_changes_nothing(client, begin, small, publish, as_admin, rows):
    _, session = begin(2)
    publish(small(2, questions=(2, 2)))
    before = rows()
    told = client.post(MOVE, json={}, headers=as_admin).json()
    assert told == {
        "dry_run": True,
        "total": 1,
        "moved": 0,
        "items": [
            {
                "session_id": session,
                "from_version": 1,
                "at": {"week": 1, "question": 3},
                "fate": "question_gone",
                "stands_at": {"week": 2, "question": 1},
                "changed_answers": [],
                "obstacle": None,
                "moved": False,
            }
        ],
        "next_cursor": None,
    }
    assert rows() == before


def test_who_stands_at_the_same_question_goes_on_there(begin, small, publish, move, view, client):
    who, session = begin(1)
    publish(small(2))
    before = view(who, session)
    (moved,) = move()["items"]
    assert (moved["fate"], moved["moved"]) == ("same_place", True)
    after = view(who, session)
    assert after["program_version"] == 2
    assert after["version"] == before["version"] + 1
    assert after["question"] == before["question"]
    assert after["messages"] == before["messages"]
    assert after["answers"] == before["answers"]
    assert finish(client, who, session) == 4
    assert view(who, session)["progress"][0]["questions_completed"] == 3


def test_a_changed_question_is_asked_anew(begin, small, publish, move, view, client):
    who, session = begin(1)
    changed = small(2)
    for number in (0, 1):
        changed["weeks"][0]["questions"][number]["question_text"] = f"New {number}, {{name}}?"
    publish(changed)
    (moved,) = move()["items"]
    assert moved["fate"] == "question_changed"
    assert moved["changed_answers"] == [{"week": 1, "question": 1}]
    after = view(who, session)
    assert after["question"]["text"] == "New 1, Maja?"
    assert after["messages"][-1]["message_text"] == "New 1, Maja?"
    assert [one["question_number"] for one in after["messages"]] == [1, 1, 1, 2, 2]
    assert finish(client, who, session) == 4


def test_who_stands_at_a_question_that_is_gone_goes_on_behind_it(begin, small, publish, move, view, client):
    who, session = begin(2)
    publish(small(2, questions=(2, 2)))
    (moved,) = move()["items"]
    assert (moved["fate"], moved["stands_at"]) == ("question_gone", {"week": 2, "question": 1})
    after = view(who, session)
    assert [(one["status"], one["questions_completed"]) for one in after["progress"]] == [
        ("completed", 2), ("open", 0),
    ]  # fmt: skip
    assert after["messages"][-1]["message_text"] == "Week 2, question 1: what now?"
    assert finish(client, who, session) == 2


def test_answers_to_questions_that_are_gone_stay_in_the_record(begin, small, publish, move, view, client):
    who, session = begin(4)
    publish(small(2, questions=(1, 2)))
    (moved,) = move()["items"]
    assert moved["changed_answers"] == [{"week": 1, "question": 2}, {"week": 1, "question": 3}]
    after = view(who, session)
    assert after["progress"][0]["questions_completed"] == 1
    said = [one["message_text"] for one in after["messages"] if one["sender"] == "user"]
    assert said == [f"This is my answer number {number}." for number in range(4)]
    transcript = client.get(f"/api/programs/sessions/{session}/transcript", headers=who)
    assert all(words in transcript.text for words in said)
    assert client.get(f"/api/programs/sessions/{session}/summary", headers=who).status_code == 200
    assert finish(client, who, session) == 1


@pytest.mark.parametrize(
    ("old", "answers", "new", "obstacle"),
    [((3, 2), 4, (3,), "week_gone"), ((3,), 2, (2,), "nothing_left")],
    ids=["week gone", "nothing left"],
)
def test_whoever_has_nowhere_to_go_stays(
    client, small, publish, as_admin, tokens, move, rows, old, answers, new, obstacle
):
    publish(small(1, questions=old))
    client.put("/api/programs/small/labels/production", json={"version": 1}, headers=as_admin)
    who = headers(tokens.user())
    session = client.post("/api/programs/small/start", headers=who).json()["id"]
    for _ in range(answers):
        answer(client, who, session)
    publish(small(2, questions=new))
    before = rows()
    (left,) = move()["items"]
    assert (left["obstacle"], left["stands_at"], left["moved"]) == (obstacle, None, False)
    assert rows() == before


def test_a_hidden_week_is_left_for_the_next(begin, small, publish, move, view, client):
    who, session = begin(4)
    changed = small(2, questions=(3, 2, 1))
    changed["weeks"][1]["is_active"] = False
    publish(changed)
    (moved,) = move()["items"]
    assert (moved["fate"], moved["stands_at"]) == ("week_gone", {"week": 3, "question": 1})
    assert view(who, session)["week"] == 3
    assert finish(client, who, session) == 1


def test_texts_ahead_must_not_speak_of_what_was_never_asked(begin, small, publish, move, rows):
    begin(1)
    changed = small(2)
    changed["weeks"][0]["questions"][0] |= {"question_text": "Which goal?", "keeps": "goal"}
    changed["weeks"][1]["questions"][1]["question_text"] = "And {goal}?"
    publish(changed)
    before = rows()
    (left,) = move()["items"]
    assert left["obstacle"] == "needs_more"
    assert rows() == before


def test_what_the_same_question_keeps_now_is_taken_from_its_answer(begin, small, publish, move, view, client):
    who, session = begin(1)
    changed = small(2)
    changed["weeks"][0]["questions"][0]["keeps"] = "goal"
    changed["weeks"][1]["questions"][1]["question_text"] = "And {goal}"
    publish(changed)
    (moved,) = move()["items"]
    assert moved["moved"]
    assert view(who, session)["progress"][0]["kept"] == {"goal": "This is my answer number 0."}
    for _ in range(3):
        said = answer(client, who, session).json()
    assert said["question"]["text"] == "And This is my answer number 0."


def test_a_session_with_a_turn_under_way_is_left(begin, small, publish, move, database, rows):
    _, session = begin(1)
    publish(small(2))
    with database.transaction() as opened:
        opened.execute(text("UPDATE turns SET status = 'running', lease_expires_at = now() + '30 s'"))
    before = rows()
    (left,) = move()["items"]
    assert (left["session_id"], left["obstacle"]) == (session, "running_turn")
    assert rows() == before


def test_participants_of_a_running_experiment_are_left(begin, small, publish, move, client, as_admin, tokens):
    publish(small(2))
    publish(small(3))
    begin()
    arms = [{"version": 1, "weight": 1}, {"version": 3, "weight": 1}]
    experiment = client.post(
        "/api/programs/small/experiments", json={"name": "a", "arms": arms}, headers=as_admin
    ).json()
    client.post("/api/programs/small/start", headers=headers(tokens.user()))
    assert sorted(str(one["obstacle"]) for one in move()["items"]) == ["None", "in_experiment"]
    client.post(f"/api/programs/small/experiments/{experiment['id']}/stop", headers=as_admin)
    assert [one["moved"] for one in move()["items"]] == [True]


def test_moving_twice_moves_once_and_page_by_page(begin, small, publish, client, as_admin):
    sessions = [begin(number % 3)[1] for number in range(5)]
    publish(small(2))
    seen, cursor = [], ""
    for size in (2, 2, 1):
        page = client.post(f"{MOVE}?limit=2{cursor}", json={"dry_run": False}, headers=as_admin).json()
        assert page["moved"] == size
        seen += [one["session_id"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == sessions
    again = client.post(MOVE, json={"dry_run": False}, headers=as_admin).json()
    assert (again["total"], again["items"]) == (0, [])


def test_only_the_named_version_is_left_and_completed_sessions_never(
    begin, small, publish, move, client, as_admin
):
    publish(small(3))
    publish(small(2))
    _, session = begin(1)
    done_by, done = begin()
    finish(client, done_by, done)
    assert move(from_version=3)["total"] == 0
    assert [one["session_id"] for one in move(from_version=1)["items"]] == [session]


@pytest.mark.parametrize(
    "change",
    [
        lambda question: question.update(requires_followup=False, prompts=question["prompts"][:1]),
        lambda question: question.update(question_text="Which goal?", keeps="goal"),
    ],
    ids=["follow-up gone", "answer kept now"],
)
def test_a_followup_that_lost_its_question_is_not_waited_for(
    small, publish, client, as_admin, tokens, move, view, change
):
    first, second = small(), small(2)
    for content in (first, second):
        question = content["weeks"][0]["questions"][0]
        question["requires_followup"] = True
        question["prompts"] += [
            {"prompt_type": kind, "prompt_text": "Ask.", "response_text": f"{kind}?"}
            for kind in ("followup", "followup_respond")
        ]
    change(second["weeks"][0]["questions"][0])
    publish(first)
    client.put("/api/programs/small/labels/production", json={"version": 1}, headers=as_admin)
    who = headers(tokens.user())
    session = client.post("/api/programs/small/start", headers=who).json()["id"]
    answer(client, who, session)
    publish(second)
    (moved,) = move()["items"]
    assert (moved["fate"], moved["stands_at"]) == ("question_changed", {"week": 1, "question": 1})
    asked = second["weeks"][0]["questions"][0]["question_text"]
    assert view(who, session)["messages"][-1]["message_text"] == asked
    finish(client, who, session)


def test_moving_beside_answers_loses_and_doubles_none(server, tokens, small):
    as_admin = headers(tokens.user("admin"))

    def send(number):
        text = yaml.safe_dump(small(number)).encode()
        server.post("/api/programs/small/versions", content=text, headers=as_admin)

    send(1)
    send(2)
    server.put("/api/programs/small/labels/production", json={"version": 1}, headers=as_admin)
    people = [headers(tokens.user()) for _ in range(6)]
    sessions = [server.post("/api/programs/small/start", headers=who).json()["id"] for who in people]

    def lead(who, session):
        """Answer to the end as a client does: what was not acknowledged is sent again."""
        for number in range(5):
            body = {"text": f"Answer {number}.", "client_message_id": f"m{number}"}
            for _ in range(50):
                said = server.post(f"/api/programs/sessions/{session}/answer", json=body, headers=who)
                if said.status_code == 200:
                    break
                assert said.status_code in (409, 503), said.text

    def move(_):
        return server.post(MOVE, json={"dry_run": False}, headers=as_admin).json()["moved"]

    with ThreadPoolExecutor(8) as pool:
        led = [pool.submit(lead, *pair) for pair in zip(people, sessions, strict=True)]
        assert 0 < sum(pool.map(move, range(12))) <= 6
        for one in led:
            one.result()
    for who, session in zip(people, sessions, strict=True):
        found = server.get(f"/api/programs/sessions/{session}", headers=who).json()
        said = [one["message_text"] for one in found["messages"] if one["sender"] == "user"]
        assert said == [f"Answer {number}." for number in range(5)]
        assert found["completed"]
