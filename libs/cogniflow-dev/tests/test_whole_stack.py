"""The `cogniflow` command, and one whole stack that it starts, kills and starts again."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole-stack")]

_COMMAND = str(Path(sys.executable).parent / "cogniflow")
_MEMORY_LIMIT_BYTES = 1.2e9


class Command:
    """The command, used on one data folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "COGNIFLOW_HOME": str(home)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_COMMAND, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def ok(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *arguments: str) -> dict[str, Any]:
        return dict(json.loads(self.ok(*arguments, "--json")))

    def left_over(self) -> list[str]:
        """Processes that still work in the data folder."""
        return [
            process.name() for process in psutil.process_iter() if _folder(process).is_relative_to(self.home)
        ]


def _folder(process: psutil.Process) -> Path:
    try:
        return Path(process.cwd() or "/")
    except (psutil.Error, OSError):
        return Path("/")


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """A stack that was started in the background; `started.txt` holds what the command printed."""
    command = Command(tmp_path_factory.mktemp("stack"))
    output = command.ok("up", "--detach")
    (command.home / "started.txt").write_text(output)
    yield command
    command.ok("down")


def test_up_says_where_to_go_and_how_to_log_in(command: Command) -> None:
    output = (command.home / "started.txt").read_text()
    info = command.json("info")
    assert info["address"] in output
    assert set(info["logins"]) == {"learner", "instructor", "admin"}
    for username, password in info["logins"].items():
        assert username in output
        assert password in output


def test_the_demo_logins_work(command: Command) -> None:
    info = command.json("info")
    for username, password in info["logins"].items():
        login = {"username": username, "password": password}
        answer = httpx.post(f"{info['address']}/api/auth/token", data=login, trust_env=False)
        assert answer.status_code == 200, answer.text


def test_everything_is_healthy_within_the_memory_limit(command: Command) -> None:
    status = command.json("status")
    assert status["healthy"]
    assert len(status["processes"]) == 13
    assert status["memory_bytes"] < _MEMORY_LIMIT_BYTES


def test_a_second_up_says_that_one_runs(command: Command) -> None:
    output = command.ok("up")
    info = command.json("info")
    assert info["address"] in output
    assert str(info["processes"]["supervisord"]) in output


def test_no_secret_is_on_any_command_line(command: Command) -> None:
    secrets = json.loads((command.home / "secrets.json").read_text()).values()
    for pid in command.json("info")["processes"].values():
        line = " ".join(psutil.Process(pid).cmdline())
        assert not [secret for secret in secrets if secret in line]


def test_logs_are_readable(command: Command) -> None:
    output = command.ok("logs", "users-service", "-n", "5")
    assert output.strip()
    assert not output.startswith("{")


def test_import_course_tells_what_came_in_and_what_did_not(command: Command, tmp_path: Path) -> None:
    archive = _course_archive(tmp_path)
    output = command.ok("import-course", str(archive))
    assert "A Small Course" in output
    assert "1 lessons" in output
    assert "lti" in output

    again = command.run("import-course", str(archive))
    assert again.returncode == 1
    assert "refused" in again.stderr
    as_learner = command.run("import-course", str(archive), "--username", "learner")
    assert as_learner.returncode == 1
    assert "role" in as_learner.stderr


def test_migrate_legacy_shows_applies_and_repeats(command: Command) -> None:
    old = Path(__file__).parents[3] / "tools" / "legacy-import" / "tests" / "data"
    shown = command.ok("migrate-legacy", str(old))
    assert "would be applied" in shown
    assert "Nothing was changed" in shown
    for status in ("applied", "already_applied"):
        report = command.json("migrate-legacy", str(old), "--apply")
        assert {source["status"] for source in report["sources"]} == {status}
    broken = command.run("migrate-legacy", str(old / "no-such-file"))
    assert broken.returncode == 1
    assert "no such file" in broken.stdout


def _course_archive(folder: Path) -> Path:
    """An Open edX course of one lesson, and one part that can't be taken over."""
    course = """
        <course org="Test" course="CLI" url_name="run" display_name="A Small Course">
          <chapter display_name="Section"><sequential display_name="Subsection">
            <vertical display_name="Unit">
              <html display_name="Words"><p>Some words to learn.</p></html>
              <lti display_name="Elsewhere"/>
            </vertical>
          </sequential></chapter>
        </course>"""
    path = folder / "course.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("course/course.xml")
        member.size = len(course.encode())
        archive.addfile(member, io.BytesIO(course.encode()))
    return path


def test_restart_replaces_the_process(command: Command) -> None:
    before = command.json("info")["processes"]["users-worker"]
    command.ok("restart", "users-worker")
    assert command.json("info")["processes"]["users-worker"] != before
    assert command.run("restart", "nonsense").returncode == 2


def test_killed_altogether_it_starts_again_as_it_was_and_stops_at_ctrl_c(command: Command) -> None:
    before = command.json("info")
    for pid in before["processes"].values():
        os.kill(pid, signal.SIGKILL)
    assert command.run("info").returncode == 3

    arguments = [_COMMAND, "up"]
    # Shells start background processes with SIGINT ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        arguments, env=command.environment, stdout=subprocess.PIPE, text=True
    ) as foreground:
        assert foreground.stdout
        for line in foreground.stdout:
            if "CogniFlow is ready" in line:
                break
        after = command.json("info")
        foreground.send_signal(signal.SIGINT)
        rest = foreground.stdout.read()
        assert foreground.wait(60) == 0
    assert {name: after[name] for name in ("address", "stores", "logins")} == {
        name: before[name] for name in ("address", "stores", "logins")
    }
    assert "Everything stopped" in rest
    assert command.left_over() == []


def test_without_a_stack_commands_say_so(tmp_path: Path) -> None:
    command = Command(tmp_path)
    for name in ("info", "status", "logs"):
        done = command.run(name)
        assert done.returncode == 3
        assert "scripts/up" in done.stderr
    done = command.run("down")
    assert done.returncode == 0
    assert "Nothing is running" in done.stdout
