"""The commands `cogniflow users`, `cogniflow keys` and `cogniflow mails` against this service."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from typer.testing import CliRunner

from cogniflow_dev.admin_client import AdminClient
from cogniflow_dev.cli import app
from cogniflow_dev.testing.servers import serving
from users_service.password_hashing import hash_password
from users_service.tables import SigningKey, User, UserSession

PASSWORD = "correct horse battery"
HEADING = "username,email,full_name,role,password"
GOOD = [
    "noor,noor@example.org,Noor Aziz,instructor,another quiet morning",
    'eva,eva@example.org,"Lund, Eva",student,',
]
Command = Callable[..., Result]


@pytest.fixture
def served(committing_client: TestClient) -> Iterator[Command]:
    """Run the command against a running service, as an admin unless another login is given."""
    hashed = hash_password(PASSWORD)
    with committing_client.app.state.database.transaction() as db:
        for name, role in (("ada", "admin"), ("lena", "student")):
            email = f"{name}@example.org"
            db.add(User(username=name, email=email, full_name=name, role=role, hashed_password=hashed))
    with serving(committing_client.app) as address:

        def run(*arguments: str, username: str = "ada", password: str = PASSWORD) -> Result:
            options = ["--address", address, "--username", username]
            return CliRunner(env={"COGNIFLOW_PASSWORD": password}).invoke(app, [*arguments, *options])

        yield run


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., str]:
    def write(*lines: str, encoding: str = "utf-8") -> str:
        file = tmp_path / "people.csv"
        file.write_text("\n".join(lines) + "\n", encoding=encoding)
        return str(file)

    return write


def report(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout))


def outcomes(result: Result) -> list[tuple[int, str]]:
    return [(row["line"], row["outcome"]) for row in report(result)["rows"]]


def count_users(client: TestClient) -> int:
    with client.app.state.database.transaction() as db:
        return db.scalar(select(func.count()).select_from(User))


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        ["username,email,full_name"],
        [HEADING + ",age", GOOD[0] + ",7"],
        [HEADING + ",role", GOOD[0] + ",admin"],
        [HEADING, 'noor,noor@example.org,"never closed,student,'],
    ],
)
def test_refuses_files_with_other_columns_before_anything_is_imported(
    served, csv_file, committing_client, lines
):
    before = count_users(committing_client)
    result = served("users", "import", csv_file(*lines))
    assert result.exit_code == 1
    assert result.stderr
    assert count_users(committing_client) == before


def test_refuses_files_that_are_not_utf_8(served, csv_file):
    file = csv_file(HEADING, "noor,noor@example.org,Noël,student,", encoding="latin-1")
    assert served("users", "import", file).exit_code == 1


@pytest.mark.parametrize("login", [("lena", PASSWORD), ("ada", "a wrong guess"), ("nobody", PASSWORD)])
def test_import_refuses_users_who_are_not_admins(served, csv_file, committing_client, login):
    before = count_users(committing_client)
    username, password = login
    for command in (("users", "import", csv_file(HEADING, *GOOD)), ("keys", "rotate")):
        result = served(*command, username=username, password=password)
        assert (result.exit_code, result.stdout) == (1, "")
    assert count_users(committing_client) == before


def test_import_reports_each_row_and_continues_after_an_error(served, csv_file):
    rows = [
        GOOD[0],
        "x,x@example.org,X,student,",
        "eve,no-address,Eve,student,",
        "owen,owen@example.org,Owen,owner,",
        "olga,olga@example.org,Olga,student,password123",
        "too,few",
        "noor,other@example.org,Noor,student,",
        "other,NOOR@example.org,Noor,student,",
        GOOD[1],
    ]
    result = served("users", "import", csv_file(HEADING, *rows), "--json")
    assert result.exit_code == 1
    assert outcomes(result) == [
        (2, "created"),
        *((line, "refused") for line in range(3, 10)),
        (10, "invited"),
    ]
    details = [row["detail"] for row in report(result)["rows"]]
    assert details[1].startswith("username: ")
    assert "easy to guess" in details[4]
    assert details[6:8] == ["another account has this username", "another account has this e-mail address"]
    assert "password123" not in result.output


def test_repeating_an_import_changes_nothing(served, csv_file, committing_client, log_in):
    file = csv_file("\ufeff" + HEADING, *GOOD)
    first = served("users", "import", file, "--json")
    assert (first.exit_code, outcomes(first)) == (0, [(2, "created"), (3, "invited")])
    assert log_in(committing_client, "noor", "another quiet morning").status_code == 200
    before = count_users(committing_client)
    second = served("users", "import", file, "--json")
    assert (second.exit_code, outcomes(second)) == (0, [(2, "exists"), (3, "exists")])
    assert count_users(committing_client) == before


def test_a_dry_run_changes_nothing(served, csv_file, committing_client):
    before = count_users(committing_client)
    rows = [
        "lena,lena@example.org,Lena,instructor,",
        "lena,l@example.org,Lena,student,",
        "eve,no-address,Eve,student,",
        "olga,olga@example.org,Olga,student,password123",
    ]
    result = served("users", "import", csv_file(HEADING, *GOOD, *rows), "--dry-run", "--json")
    found = report(result)
    assert found["counts"] == {"created": 1, "invited": 1, "exists": 1, "refused": 3}
    assert found["rows"][2]["detail"] == "as student, not instructor"
    assert found["rows"][4]["detail"] == "email: is not valid"
    assert count_users(committing_client) == before


def test_without_json_the_report_is_a_table(served, csv_file):
    result = served(
        "users", "import", csv_file(HEADING.replace(",password", ""), "kim,kim@x.org,[b]Kim,student")
    )
    assert result.exit_code == 0
    assert "kim" in result.stdout
    assert "0 created, 1 invited, 0 exists, 0 refused" in result.stdout


def test_rotate_creates_a_key_and_ends_its_login_session(served, committing_client):
    result = served("keys", "rotate", "--json")
    rotation = report(result)
    assert (result.exit_code, rotation["signs_in"]) == (0, 10)
    published = committing_client.get("/.well-known/jwks.json").json()["keys"]
    with committing_client.app.state.database.transaction() as db:
        assert db.get(SigningKey, rotation["kid"]) is not None
        open_sessions = select(func.count()).where(UserSession.ended_at.is_(None))
        assert db.scalar(open_sessions) == 0
    assert published


def test_mails_command_shows_links_when_there_is_no_mail_server(served, csv_file):
    served("users", "import", csv_file(HEADING, *GOOD))
    newest = json.loads(served("mails", "-n", "1", "--json").stdout)
    assert [mail["recipient"] for mail in newest] == ["eva@example.org"]
    shown = served("mails").stdout
    assert "/api/auth/links/" in newest[0]["body"]
    assert newest[0]["subject"] in shown
    assert "/api/auth/links/" in shown


def test_a_long_import_renews_its_login(served, csv_file, committing_client, monkeypatch):
    monkeypatch.setattr("users_service.login.service.ACCESS_LIFETIME_S", 1)
    create = AdminClient.create_user

    def dawdle(self, new, **options):
        time.sleep(1.5)
        return create(self, new, **options)

    monkeypatch.setattr(AdminClient, "create_user", dawdle)
    result = served("users", "import", csv_file(HEADING, *GOOD), "--json")
    assert outcomes(result) == [(2, "created"), (3, "invited")]
