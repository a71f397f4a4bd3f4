"""Administration of accounts: create, change roles, lock, unlock, search."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import event, func, select, text

from users_service.accounts.repository import UserRepository
from users_service.login.repository import LoginRepository
from users_service.password_hashing import hash_password
from users_service.tables import Mail, User

MANY_PEOPLE = text("""
    INSERT INTO users.users (id, username, email, full_name, hashed_password)
    SELECT gen_random_uuid(), 'user' || n, 'user' || n || '@example.com', md5(n::text), ''
    FROM generate_series(1, 20000) n
""")
PASSWORD = "correct horse battery"
NOOR = {"username": "noor", "email": "noor@example.org", "full_name": "Noor Aziz", "role": "instructor"}


@pytest.fixture
def admin(headers_of):
    return headers_of("admin")


def bearer(answer):
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def outcome(answer):
    return answer.status_code, answer.json()["code"]


def id_of(client, headers):
    return client.get("/api/users/me", headers=headers).json()["id"]


# --- Refusals ---------------------------------------------------------------


@pytest.mark.parametrize("role", [None, "student", "instructor", "researcher"])
def test_only_admins_change_accounts(client, make_user, headers_of, role, database):
    maja = make_user("maja")
    headers = headers_of(role) if role else {}
    answers = [
        client.post("/api/users/", json=NOOR, headers=headers),
        client.get(f"/api/users/{maja.id}", headers=headers),
        client.put(f"/api/users/{maja.id}/role", json={"role": "admin"}, headers=headers),
        client.post(f"/api/users/{maja.id}/lock", headers=headers),
        client.post(f"/api/users/{maja.id}/unlock", headers=headers),
    ]
    assert {answer.status_code for answer in answers} == {403 if role else 401}
    with database.transaction() as db:
        user = db.get(User, maja.id)
        assert (user.role, user.locked_at) == ("student", None)
        assert db.scalar(select(func.count()).where(User.username == "noor")) == 0


def test_an_unknown_user_is_not_found(client, admin):
    path = f"/api/users/{uuid4()}"
    answers = [
        client.get(path, headers=admin),
        client.put(f"{path}/role", json={"role": "student"}, headers=admin),
        client.post(f"{path}/lock", headers=admin),
        client.post(f"{path}/unlock", headers=admin),
    ]
    assert {outcome(answer) for answer in answers} == {(404, "user_not_found")}


@pytest.mark.parametrize("role", ["owner", "", None, 1])
def test_role_change_refuses_unknown_roles(client, admin, make_user, role):
    maja = make_user("maja")
    assert client.put(f"/api/users/{maja.id}/role", json={"role": role}, headers=admin).status_code == 422
    assert client.post("/api/users/", json={**NOOR, "role": role}, headers=admin).status_code == 422


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"password": "noor.aziz.1"}, (422, "password_too_common")),
        ({"password": "short"}, (422, "validation_failed")),
        ({"is_active": False}, (422, "validation_failed")),
        ({"username": "MAJA"}, (409, "username_taken")),
        ({"email": "Maja@example.org"}, (409, "email_taken")),
    ],
)
def test_create_user_refuses_invalid_accounts(client, admin, make_user, changes, refusal):
    make_user("maja")
    assert outcome(client.post("/api/users/", json={**NOOR, **changes}, headers=admin)) == refusal


def test_the_last_admin_keeps_role_and_access(client, admin, log_in, make_user):
    own = f"/api/users/{id_of(client, admin)}"
    make_user("gone", role="admin", is_active=False)
    password = {"password": PASSWORD}
    answers = [
        client.post(f"{own}/lock", headers=admin),
        client.put(f"{own}/role", json={"role": "student"}, headers=admin),
        client.post("/api/users/me/deactivate", json=password, headers=admin),
    ]
    assert {outcome(answer) for answer in answers} == {(409, "last_admin")}
    make_user("second", role="admin")
    assert client.put(f"{own}/role", json={"role": "student"}, headers=admin).status_code == 200


def test_of_two_admins_who_lock_each_other_concurrently_one_remains(committing_client, log_in):
    client = committing_client
    with client.app.state.database.transaction() as db:
        users = [
            User(
                username=name,
                email=f"{name}@example.org",
                full_name=name,
                role="admin",
                hashed_password=hash_password(PASSWORD),
            )
            for name in ("ada", "ben")
        ]
        db.add_all(users)
        for other in db.scalars(select(User).where(User.username.not_in(["ada", "ben"]))):
            other.is_active = False
    headers = [bearer(log_in(client, user.username)) for user in users]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda who: client.post(f"/api/users/{who[0].id}/lock", headers=who[1]).status_code,
                zip(reversed(users), headers, strict=True),
            )
        )
    assert answers.count(200) == 1


# --- Effects ----------------------------------------------------------------


def test_lock_ends_access_at_once_and_unlock_restores_login(client, admin, make_user, log_in):
    maja = make_user("maja")
    pair = log_in(client, "maja")
    locked = client.post(f"/api/users/{maja.id}/lock", headers=admin)
    assert locked.json()["locked_at"] is not None
    assert client.get("/api/users/me", headers=bearer(pair)).status_code == 401
    refresh = {"refresh_token": pair.json()["refresh_token"]}
    assert client.post("/api/auth/refresh", json=refresh).status_code == 401
    assert log_in(client, "maja").status_code == 401
    again = client.post(f"/api/users/{maja.id}/lock", headers=admin)
    assert again.json() == locked.json()
    assert client.post(f"/api/users/{maja.id}/unlock", headers=admin).json()["locked_at"] is None
    assert log_in(client, "maja").status_code == 200


def test_a_role_change_revokes_access_tokens_but_not_the_session(client, admin, make_user, log_in):
    maja = make_user("maja", role="instructor")
    pair = log_in(client, "maja")
    assert client.get("/api/users/", headers=bearer(pair)).status_code == 200
    answer = client.put(f"/api/users/{maja.id}/role", json={"role": "student"}, headers=admin)
    assert answer.json()["role"] == "student"
    assert client.get("/api/users/", headers=bearer(pair)).status_code == 401
    refresh = {"refresh_token": pair.json()["refresh_token"]}
    renewed = client.post("/api/auth/refresh", json=refresh)
    assert client.get("/api/users/", headers=bearer(renewed)).status_code == 403


@pytest.mark.parametrize("way", ["refresh", "login"])
def test_no_token_made_during_a_role_change_carries_the_old_role(committing_client, log_in, way):
    client = committing_client
    database = client.app.state.database
    with database.transaction() as db:
        hashed = hash_password(PASSWORD)
        maja = User(
            username="maja", email="m@example.org", full_name="M", role="instructor", hashed_password=hashed
        )
        db.add(maja)
    pair = log_in(client, "maja").json()
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as db:
            db.get(User, maja.id, with_for_update=True).role = "student"
            db.flush()
            LoginRepository(db).revoke_tokens_of(maja.id)
            refresh = {"refresh_token": pair["refresh_token"]}
            renewing = pool.submit(
                lambda: (
                    client.post("/api/auth/refresh", json=refresh)
                    if way == "refresh"
                    else log_in(client, "maja")
                )
            )
            time.sleep(0.5)
            assert not renewing.done()
        renewed = renewing.result()
    assert client.get("/api/users/", headers=bearer(renewed)).status_code == 403


def test_no_login_with_the_old_password_succeeds_during_a_reset(committing_client, log_in):
    client = committing_client
    database = client.app.state.database
    with database.transaction() as db:
        hashed = hash_password(PASSWORD)
        maja = User(username="maja", email="m@example.org", full_name="M", hashed_password=hashed)
        db.add(maja)
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as db:
            db.get(User, maja.id, with_for_update=True).hashed_password = hash_password("another one")
            db.flush()
            late = pool.submit(log_in, client, "maja")
            time.sleep(0.5)
            assert not late.done()
        assert late.result().status_code == 401


def test_a_user_created_with_a_password_can_log_in(client, admin, log_in):
    answer = client.post("/api/users/", json={**NOOR, "password": PASSWORD}, headers=admin)
    assert (answer.status_code, answer.json()["role"]) == (201, "instructor")
    assert log_in(client, "noor").status_code == 200
    assert client.get(f"/api/users/{answer.json()['id']}", headers=admin).json()["username"] == "noor"


def test_a_user_created_without_a_password_gets_a_link_to_choose_one(client, admin, log_in, mailed_token):
    answer = client.post("/api/users/", json=NOOR, headers={**admin, "Idempotency-Key": "n"})
    again = client.post("/api/users/", json=NOOR, headers={**admin, "Idempotency-Key": "n"})
    assert (answer.status_code, again.text) == (201, answer.text)
    body = {"token": mailed_token("noor@example.org"), "password": PASSWORD}
    assert client.post("/api/auth/password/reset", json=body).status_code == 204
    assert log_in(client, "noor").status_code == 200


def test_a_dry_run_returns_the_result_and_changes_nothing(client, admin, make_user, log_in, database):
    params = {"dry_run": True}
    answer = client.post("/api/users/", json=NOOR, headers=admin, params=params)
    assert (answer.status_code, answer.json()["username"]) == (200, "noor")
    make_user("maja")
    taken = client.post("/api/users/", json={**NOOR, "username": "maja"}, headers=admin, params=params)
    assert outcome(taken) == (409, "username_taken")
    with database.transaction() as db:
        assert db.scalar(select(func.count()).where(User.username == "noor")) == 0
        assert db.scalar(select(func.count()).select_from(Mail)) == 0
    assert client.post("/api/users/", json=NOOR, headers=admin).status_code == 201


def test_changes_are_recorded_with_their_actor(client, admin):
    noor = client.post("/api/users/", json=NOOR, headers=admin).json()["id"]
    client.put(f"/api/users/{noor}/role", json={"role": "researcher"}, headers=admin)
    client.put(f"/api/users/{noor}/role", json={"role": "researcher"}, headers=admin)
    client.post(f"/api/users/{noor}/lock", headers=admin)
    client.post(f"/api/users/{noor}/unlock", headers=admin)
    found = client.get("/api/admin/security-events", headers=admin, params={"user_id": noor}).json()["items"]
    assert [event["type"] for event in found] == ["unlocked", "locked", "role_changed", "user_created"]
    assert {event["actor_id"] for event in found} == {id_of(client, admin)}
    assert found[2]["data"] == {"before": "instructor", "after": "researcher"}


# --- Search -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("NoVa", {"maja"}),
        ("maj", {"maja"}),
        ("example.com", {"per_cent"}),
        ("100%", {"per_cent"}),
        ("%", {"per_cent"}),
        ("r_c", {"per_cent"}),
        ("\\", set()),
        ("' OR true --", set()),
    ],
)
def test_search_matches_parts_of_names_and_addresses_literally(client, admin, make_user, search, found):
    make_user("per_cent", email="100%@example.com")
    make_user("perXcent")
    maja = make_user("maja", email="novak@example.org")
    assert maja
    params = {"search": search}
    page = client.get("/api/users/", headers=admin, params=params).json()
    assert {user["username"] for user in page["items"]} == found


def test_search_narrows_by_role_and_pages(client, admin, make_user):
    for n in range(3):
        make_user(f"teacher{n}", role="instructor")
    make_user("teacher-to-be")
    params = {"search": "teacher", "role": "instructor", "limit": 2}
    first = client.get("/api/users/", headers=admin, params=params).json()
    rest = client.get("/api/users/", headers=admin, params={**params, "cursor": first["next_cursor"]}).json()
    assert [user["username"] for user in first["items"] + rest["items"]] == [f"teacher{n}" for n in range(3)]
    assert rest["next_cursor"] is None


def test_search_ignores_case_outside_ascii_and_finds_short_words(client, admin, make_user):
    make_user("oyku", full_name="Öykü Şahin", email="o@example.org")
    make_user("li", full_name="李雷", email="l@example.org")
    for search, found in {"öykü ş": "oyku", "ÖYKÜ": "oyku", "李雷": "li", "雷": "li", "li": "li"}.items():
        page = client.get("/api/users/", headers=admin, params={"search": search}).json()
        assert [user["username"] for user in page["items"]] == [found], search


def test_search_among_many_people_reads_an_index(database, make_user):
    make_user("maja", email="novak@example.org")
    with database.transaction() as db:
        db.execute(MANY_PEOPLE)
        db.execute(text("ANALYZE users.users"))
        asked = []
        event.listen(
            db.connection(),
            "before_cursor_execute",
            lambda _, cursor, *call: asked.append(cursor.mogrify(*call[:2])),
        )
        (found,) = UserRepository(db).page(None, 50, "NOVAK", None)
        cursor = db.connection().connection.cursor()
        cursor.execute(b"EXPLAIN " + asked[-1])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert found.username == "maja"
    assert "ix_users_trigrams" in plan, plan


@pytest.mark.parametrize("query", ["search=", "search=" + "x" * 255, "search=%00", "role=owner", "role="])
def test_search_refuses_invalid_queries(client, admin, query):
    assert client.get(f"/api/users/?{query}", headers=admin).status_code == 422
