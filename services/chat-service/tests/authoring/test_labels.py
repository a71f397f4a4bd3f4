"""Labels say which version newcomers begin; moving one is at once, undone step by step, and on record."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import yaml
from sqlalchemy import select, text

from chat_service import tables
from chat_service.programs.content.loader import publish as bring
from chat_service.programs.content.loader import publish_folder
from chat_service.programs.sessions.experiments import version_to_start
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.ids import new_id

LABELS = "/api/programs/small/labels"


@pytest.fixture
def versions(small, publish):
    for number in (1, 2, 3):
        assert publish(small(number)).status_code == 201


@pytest.fixture
def put(client, as_admin):
    return lambda label, version, who=as_admin: client.put(
        f"{LABELS}/{label}", json={"version": version}, headers=who
    )


@pytest.fixture
def roll_back(client, as_admin):
    return lambda label, **more: client.post(f"{LABELS}/{label}/rollback", headers={**as_admin, **more})


@pytest.fixture
def begun(database):
    """The number of the version that somebody new begins."""

    def look(slug="small") -> int:
        with database.transaction() as session:
            version_id = version_to_start(session, slug, new_id()).version_id
            return session.scalars(
                select(tables.ProgramVersion.version).where(tables.ProgramVersion.version_id == version_id)
            ).one()

    return look


def test_students_move_nothing_and_see_nothing(client, versions, put, tokens):
    for role in ("student", "researcher"):
        as_role = headers(tokens.user(role))
        assert put("candidate", 1, as_role).status_code == 403
        assert client.delete(f"{LABELS}/candidate", headers=as_role).status_code == 403
        assert client.post(f"{LABELS}/candidate/rollback", headers=as_role).status_code == 403
        assert client.get(f"{LABELS}/candidate/history", headers=as_role).status_code == 403
        assert client.get(LABELS, headers=as_role).status_code == 403


def test_production_is_for_admins(client, versions, put, as_author):
    assert put("production", 1).status_code == 200
    refused = [
        put("production", 2, as_author),
        client.delete(f"{LABELS}/production", headers=as_author),
        client.post(f"{LABELS}/production/rollback", headers=as_author),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(403, "label_protected")] * 3
    assert put("candidate", 2, as_author).status_code == 200
    assert client.delete(f"{LABELS}/candidate", headers=as_author).status_code == 204


def test_a_label_needs_what_it_names(client, versions, put, roll_back, as_admin):
    assert put("candidate", 9).json()["code"] == "version_not_found"
    assert put("Candidate", 1).status_code == 422
    assert client.delete(f"{LABELS}/candidate", headers=as_admin).json()["code"] == "label_not_found"
    assert roll_back("candidate").json()["code"] == "label_not_found"
    for path in ("labels", "labels/production/history"):
        assert client.get(f"/api/programs/nowhere/{path}", headers=as_admin).status_code == 404
    assert client.get(f"{LABELS}/production/history", headers=as_admin).json()["items"] == []


def test_newcomers_begin_production_and_nothing_without_it(client, versions, put, begun, as_maja, as_admin):
    start = lambda: client.post("/api/programs/small/start", headers=as_maja)  # noqa: E731
    assert start().status_code == 404
    put("production", 2)
    assert begun() == 2
    assert start().json()["program_version"] == 2
    put("production", 3)
    assert start().json()["program_version"] == 2
    assert begun() == 3
    client.delete(f"{LABELS}/production", headers=as_admin)
    assert start().status_code == 200
    stranger = client.get("/api/programs", headers=as_maja).json()["items"]
    assert "small" not in [one["slug"] for one in stranger]


def test_rollback_goes_back_step_by_step(versions, put, roll_back):
    for number in (1, 2, 3):
        put("production", number)
    assert [roll_back("production").json()["version"] for _ in range(2)] == [2, 1]
    refused = roll_back("production")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_before")
    put("production", 3)
    assert roll_back("production").json()["version"] == 1


def test_going_back_by_hand_is_a_rollback_too(versions, put, roll_back):
    for number in (1, 2, 3, 2):
        put("production", number)
    assert roll_back("production").json()["version"] == 1


def test_a_label_that_was_taken_away_comes_back(client, versions, put, roll_back, as_admin):
    put("candidate", 1)
    put("candidate", 3)
    client.delete(f"{LABELS}/candidate", headers=as_admin)
    assert client.get(LABELS, headers=as_admin).json() == {"labels": []}
    assert roll_back("candidate").json()["version"] == 3
    assert roll_back("candidate").json()["version"] == 1


def test_a_repeated_rollback_happens_once(versions, put, roll_back):
    for number in (1, 2, 3):
        put("production", number)
    key = {"Idempotency-Key": "back"}
    assert roll_back("production", **key).json() == roll_back("production", **key).json()
    assert roll_back("production").json()["version"] == 1


def test_history_tells_every_move(client, versions, put, roll_back, as_admin, as_author):
    put("candidate", 1)
    put("candidate", 1)
    put("candidate", 2, as_author)
    roll_back("candidate")
    client.delete(f"{LABELS}/candidate", headers=as_admin)
    path = f"{LABELS}/candidate/history"
    page = client.get(f"{path}?limit=3", headers=as_author).json()
    rest = client.get(f"{path}?limit=3&cursor={page['next_cursor']}", headers=as_author).json()
    moves = [(one["from_version"], one["to_version"]) for one in page["items"] + rest["items"]]
    assert moves == [(1, None), (2, 1), (1, 2), (None, 1)]
    assert len({one["moved_by"] for one in page["items"]}) == 2


def test_concurrent_moves_leave_one_history(server, tokens, small):
    as_admin = headers(tokens.user("admin"))
    for number in range(1, 5):
        text = yaml.safe_dump(small(number)).encode()
        server.post("/api/programs/small/versions", content=text, headers=as_admin)

    def move(number):
        return server.put(f"{LABELS}/production", json={"version": number}, headers=as_admin).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(move, [1, 2, 3, 4] * 4)) == {200}
    moves = server.get(f"{LABELS}/production/history?limit=100", headers=as_admin).json()["items"]
    moves.sort(key=lambda one: one["moved_at"])
    assert moves[0]["from_version"] is None
    for earlier, later in pairwise(moves):
        assert later["from_version"] == earlier["to_version"]
    (label,) = server.get(LABELS, headers=as_admin).json()["labels"]
    assert label["version"] == moves[-1]["to_version"]


def test_a_new_bundled_version_is_begun_at_once(database, small, begun):
    for number in (1, 2):
        with database.transaction() as session:
            bring(session, yaml.safe_dump(small(number)), "small.yaml")
        assert begun() == number


def test_what_somebody_moved_by_hand_stays(database, small, begun, put):
    with database.transaction() as session:
        bring(session, yaml.safe_dump(small(1)), "small.yaml")
        bring(session, yaml.safe_dump(small(2)), "small.yaml")
    put("production", 1)
    put("production", 2)
    with database.transaction() as session:
        bring(session, yaml.safe_dump(small(3)), "small.yaml")
    assert begun() == 2


def test_a_bundled_version_whose_number_is_taken_keeps_nobody_from_starting(
    database, small, publish, begun, put, tmp_path
):
    publish(small(1))
    put("production", 1)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump({**small(1), "title": "Bundled"}), encoding="utf-8")
    publish_folder(database, tmp_path)
    with database.transaction() as session:
        titles = session.scalars(
            select(tables.ProgramVersion.title).where(tables.ProgramVersion.version == 1)
        )
        assert "Bundled" not in titles.all()


def test_a_label_older_than_its_history_rolls_back_to_where_it_was(database, versions, put, roll_back):
    put("production", 1)
    with database.transaction() as session:
        session.execute(text("DELETE FROM program_label_moves"))
    put("production", 2)
    assert roll_back("production").json()["version"] == 1
