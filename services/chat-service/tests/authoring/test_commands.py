"""`cogniflow programs`, and what it starts for authors on their own machine."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import yaml
from click.testing import Result
from fastapi import FastAPI, Form
from typer.testing import CliRunner

from chat_service.app import create_app
from chat_service.programs.authoring.__main__ import main
from cogniflow_dev.cli import app as cogniflow
from cogniflow_dev.paths import repository_root
from cogniflow_dev.testing.servers import serving
from cogniflow_dev.testing.tokens import headers

Command = Callable[..., Result]
PROGRAMS = repository_root() / "content" / "programs"


@pytest.fixture
def files(tmp_path, small):
    """Versions of the small program as files; the third is broken."""
    broken = small(3)
    broken["weeks"][1]["questions"][0]["question_text"] = "{nmae}?"
    contents = {"one": small(1), "two": {**small(2), "title": "Smaller steps"}, "broken": broken}
    paths = {name: tmp_path / f"{name}.yaml" for name in contents}
    for name, path in paths.items():
        path.write_text(yaml.safe_dump(contents[name]), encoding="utf-8")
    return {name: str(path) for name, path in paths.items()}


@pytest.fixture
def address(settings, tokens, committing, mongo) -> Iterator[str]:
    """A gateway where a login has the role that its name says."""
    gateway = FastAPI()

    @gateway.post("/api/auth/token")
    def login(username: str = Form()) -> dict[str, Any]:
        return {"access_token": tokens.user(username), "refresh_token": "none"}

    @gateway.post("/api/auth/logout")
    def logout() -> None:
        """Nothing is kept."""

    gateway.mount("/", create_app(settings, keys=tokens.keys, database=committing))
    with serving(gateway) as address:
        yield address


@pytest.fixture
def served(address) -> Command:
    """Runs the command over HTTP, as an admin unless a username is given."""

    def run(*arguments: str, username: str = "admin") -> Result:
        options = ["--address", address, "--username", username]
        return CliRunner(env={"COGNIFLOW_PASSWORD": "any"}).invoke(
            cogniflow, ["programs", *arguments, *options]
        )

    return run


def test_a_problem_is_told_with_file_week_and_question(files, capsys):
    assert main(["validate", files["one"], files["broken"]]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{files['one']}: small version 1 can be published (weeks: 2, questions: 5)"
    assert told[1].startswith(f"{files['broken']}: week 2, question 1: {{nmae}} is neither a name")


def test_scripts_read_problems_as_json(files, capsys):
    assert main(["validate", files["broken"], "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["files"]
    assert (found["valid"], found["slug"], found["version"]) == (False, None, None)
    (problem,) = found["problems"]
    assert (problem["file"], problem["week"], problem["question"]) == (files["broken"], 2, 1)


def test_what_cannot_be_read_is_a_problem(tmp_path, capsys):
    other = tmp_path / "latin.yaml"
    other.write_bytes(b"title: caf\xe9")
    assert main(["validate", str(tmp_path / "nowhere.yaml"), str(other)]) == 1
    assert capsys.readouterr().out.count("cannot be read") == 2


def test_bundled_programs_can_be_published(capsys):
    assert main(["validate", *map(str, PROGRAMS.glob("*.yaml"))]) == 0


def test_versions_are_compared_offline(files, capsys):
    assert main(["diff", files["one"], files["two"]]) == 0
    assert "~ program: title\n    - Small steps\n    + Smaller steps" in capsys.readouterr().out
    assert main(["diff", files["one"], files["two"], "--json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changed"]
    assert (change["field"], change["old"], change["new"]) == ("title", "Small steps", "Smaller steps")
    assert main(["diff", files["one"], files["one"]]) == 0
    assert "no difference" in capsys.readouterr().out
    assert main(["diff", files["one"], files["broken"]]) == 1


def test_stories_are_played_offline(tmp_path, capsys, files):
    story = {"name": "Thanks", "turns": [{"say": "I went for a walk.", "expect": {"says": ["Thank you."]}}]}
    good = tmp_path / "good-story.yaml"
    good.write_text(yaml.safe_dump({"file": files["one"], "stories": [story]}), encoding="utf-8")
    story["turns"][0]["expect"]["says"] = ["Never mind."]
    bad = tmp_path / "bad-story.yaml"
    bad.write_text(yaml.safe_dump({"file": files["one"], "stories": [story]}), encoding="utf-8")
    assert main(["test", str(good)]) == 0
    assert main(["test", "--json", "--programs", str(PROGRAMS), str(bad)]) == 1
    out = capsys.readouterr().out
    report = json.loads(out[out.index("{") :])
    assert (report["ok"], report["played"], len(report["failed"])) == (False, 1, 1)


def test_the_command_starts_the_service_s_own_check(files, capfd):
    result = CliRunner().invoke(cogniflow, ["programs", "validate", files["one"], files["broken"]])
    assert result.exit_code == 1
    assert "week 2, question 1" in capfd.readouterr().out
    assert CliRunner().invoke(cogniflow, ["programs", "validate", files["one"]]).exit_code == 0
    assert CliRunner().invoke(cogniflow, ["programs", "diff", files["one"], files["two"]]).exit_code == 0


def test_importing_needs_the_role_and_a_sound_program(served, files):
    refused = served("import", files["one"], username="student")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "role" in refused.stderr
    broken = served("import", files["broken"])
    assert broken.exit_code == 1
    assert f"{files['broken']}: week 2, question 1: {{nmae}} is neither" in broken.stderr.replace("\n", " ")
    assert served("labels", "small").exit_code == 1


def test_an_author_s_day(served, files, tmp_path, capsys):
    first = served("import", files["one"], "--json")
    assert (first.exit_code, json.loads(first.stdout)["published"]["version"]) == (0, 1)
    assert served("import", files["one"]).exit_code == 0
    assert served("import", files["two"], username="instructor").exit_code == 0
    assert served("label", "small", "production", "1").exit_code == 0
    assert served("label", "small", "production", "2", username="instructor").exit_code == 1
    assert json.loads(served("label", "small", "production", "2", "--json").stdout)["version"] == 2
    assert served("rollback", "small", "production").stdout == "small: production points at version 1.\n"
    again = served("rollback", "small", "production")
    assert again.exit_code == 1
    assert "no other version" in again.stderr
    assert [one["version"] for one in json.loads(served("labels", "small", "--json").stdout)] == [1]
    exported = tmp_path / "exported.yaml"
    assert served("export", "small", "--version", "2", "--output", str(exported)).exit_code == 0
    assert main(["diff", files["two"], str(exported)]) == 0
    assert "no difference" in capsys.readouterr().out
    assert served("export", "small").stdout.startswith("slug: small\nversion: 1\n")
    assert served("export", "small", "--version", "9").exit_code == 1


def test_moving_is_told_first_and_done_when_asked(served, address, files, tokens):
    for name in ("one", "two"):
        served("import", files[name])
    served("label", "small", "production", "1")
    httpx.post(f"{address}/api/programs/small/start", headers=headers(tokens.user())).raise_for_status()
    told = served("move", "small", "2")
    assert told.exit_code == 0
    assert "1 of 1 sessions would be moved" in told.stdout
    moved = json.loads(served("move", "small", "2", "--apply", "--json").stdout)
    assert [one["moved"] for one in moved["sessions"]] == [True]
    assert "0 of 0 sessions moved" in served("move", "small", "2", "--apply").stdout
