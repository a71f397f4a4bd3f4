"""Starting, failing, crashing and stopping, with real processes under the real supervisor."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cogniflow_dev import startup
from cogniflow_dev.processes import ProcessIdentity
from cogniflow_dev.stack import Stack
from cogniflow_dev.startup import AlreadyStarting, StartFailure
from cogniflow_dev.state import State
from cogniflow_dev.supervision import Supervisor
from cogniflow_dev.supervision.config import UnusableValue, socket_path
from cogniflow_dev.topology import Process

ToyFactory = Callable[..., Process]
_SECONDS = 15.0


def _start(stack: Stack, *processes: Process) -> Supervisor:
    return startup.start(stack, processes, lambda _name, _event: None)


def _pids(supervisor: Supervisor) -> list[int]:
    pids = [state.pid for state in supervisor.states().values() if state.pid]
    return [supervisor.identity.pid, *pids]


def _eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_process_starts_when_those_it_needs_are_ready(stack: Stack, toy: ToyFactory) -> None:
    events: list[tuple[str, str]] = []
    processes = [toy("last", after=("middle",)), toy("middle", after=("first",)), toy("first")]
    startup.start(stack, processes, lambda *event: events.append(event))
    expected = [(name, event) for name in ("first", "middle", "last") for event in ("starting", "ready")]
    assert events == expected


def test_stopping_leaves_no_process_and_keeps_the_ports(stack: Stack, toy: ToyFactory) -> None:
    supervisor = _start(stack, toy("one"), toy("two"))
    pids = _pids(supervisor)
    startup.stop(supervisor)
    assert not [pid for pid in pids if _alive(pid)]
    assert startup.find_running(stack.home) is None
    assert State.load(stack.home).ports == stack.ports


def test_a_process_that_ignores_the_request_to_stop_is_killed(stack: Stack, toy: ToyFactory) -> None:
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    supervisor = _start(stack, toy("deaf", deaf))
    pids = _pids(supervisor)
    startup.stop(supervisor, patience=1)
    assert not [pid for pid in pids if _alive(pid)]


def test_a_process_that_dies_is_started_again(stack: Stack, toy: ToyFactory) -> None:
    supervisor = _start(stack, toy("mortal"))
    first = supervisor.states()["mortal"].pid
    assert first is not None
    # One that dies within its first two seconds is given a pause first.
    assert _eventually(lambda: supervisor.states()["mortal"].state == "RUNNING")
    os.kill(first, signal.SIGKILL)
    assert _eventually(lambda: supervisor.states()["mortal"].pid not in (None, first))


def test_a_failing_start_names_the_process_quotes_its_log_and_stops_the_rest(
    stack: Stack, toy: ToyFactory
) -> None:
    broken = replace(toy("broken", "raise SystemExit('no luck')", after=("fine",)), check=lambda: "silent")
    with pytest.raises(StartFailure) as caught:
        _start(stack, toy("fine"), broken)
    assert caught.value.process == "broken"
    assert caught.value.log == ["no luck"]
    assert startup.find_running(stack.home) is None
    assert not [process for process in psutil.process_iter() if _works_in(process, stack.home)]


def test_a_program_that_is_missing_fails_the_start(stack: Stack, toy: ToyFactory) -> None:
    missing = Process("missing", ["/nowhere/program"], check=lambda: "never")
    with pytest.raises(StartFailure, match="missing"):
        _start(stack, missing)


def test_settings_arrive_as_they_are_and_stay_private(stack: Stack, toy: ToyFactory) -> None:
    odd = "100% \\ 'a' b,c;d#e=f %(here)s ä"
    secret = stack.secrets.redis_password
    code = "import os, time; print(os.environ['ODD'], os.getcwd(), flush=True); time.sleep(600)"
    supervisor = _start(stack, toy("one", code, ODD=odd, REDIS_PASSWORD=secret))
    assert stack.log("one").read_text() == f"{odd} {stack.run_folder}\n"
    command_lines = [" ".join(psutil.Process(pid).cmdline()) for pid in _pids(supervisor)]
    assert not [line for line in command_lines if secret in line]
    readable_by_others = [
        path
        for path in stack.home.rglob("*")
        if path.is_file() and secret in path.read_text() and path.stat().st_mode & 0o077
    ]
    assert not readable_by_others
    assert stack.run_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("value", ["two\nlines", "a #comment", 'a "quote"'])
def test_settings_that_cannot_arrive_as_they_are_are_refused(
    stack: Stack, toy: ToyFactory, value: str
) -> None:
    with pytest.raises(UnusableValue):
        _start(stack, toy("one", ODD=value))


class TestUnusualPaths:
    """A checkout may lie anywhere; a socket's path may not be longer than 107 bytes."""

    @pytest.fixture(params=["with spaces and 'quotes' in it", "l" * 120])
    def home(self, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
        return tmp_path / str(request.param)

    def test_start(self, stack: Stack, toy: ToyFactory) -> None:
        supervisor = _start(stack, toy("one"))
        running = startup.find_running(stack.home)
        assert running
        assert running.answers()
        startup.stop(supervisor)
        socket = socket_path(stack.home)
        assert not socket.exists()
        assert socket.is_relative_to(stack.home) or not socket.parent.exists()


def test_after_a_killed_supervisor_its_orphans_are_ended_and_nobody_else(
    stack: Stack, toy: ToyFactory
) -> None:
    supervisor = _start(stack, toy("one"), toy("two"))
    pids = _pids(supervisor)
    os.kill(supervisor.identity.pid, signal.SIGKILL)
    assert _eventually(lambda: not _alive(pids[0]))
    ended = startup.clean_up_after_crash(stack.home)
    assert sorted(ended) == sorted(pids[1:])
    assert not [pid for pid in pids if _alive(pid)]
    assert _start(stack, toy("one")).answers()


def test_a_process_id_that_was_given_to_another_process_is_left_alone(stack: Stack) -> None:
    stranger = ProcessIdentity.of(os.getpid())
    State(stack.ports, ProcessIdentity(stranger.pid, stranger.created - 3600)).save(stack.home)
    assert startup.find_running(stack.home) is None
    assert startup.clean_up_after_crash(stack.home) == []


def test_two_starts_at_once_are_refused(home: Path) -> None:
    with startup.start_lock(home), pytest.raises(AlreadyStarting), startup.start_lock(home):
        pass


def test_the_state_file_is_private(stack: Stack) -> None:
    State(stack.ports).save(stack.home)
    path = stack.home / "state.json"
    assert json.loads(path.read_text())["supervisor"] is None
    assert path.stat().st_mode & 0o777 == 0o600


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False
