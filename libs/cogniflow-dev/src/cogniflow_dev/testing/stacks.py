"""A whole platform that a test may start, kill and restart."""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import psutil

from cogniflow_dev.paths import repository_root
from cogniflow_dev.readiness import wait_until_ready
from cogniflow_dev.startup import find_running
from cogniflow_dev.supervision import Supervisor
from cogniflow_dev.topology import Process, processes

_COMMAND = str(Path(sys.executable).with_name("cogniflow"))
_START_S = 240

# Runs with analytics-service's MONGO_URL in the environment.
_COUNT_EVENTS = """
import json, os, sys, uuid, pymongo
log = pymongo.MongoClient(os.environ["MONGO_URL"], uuidRepresentation="standard").get_default_database()
per_type = [{"$match": {"actor_id": uuid.UUID(sys.argv[1])}}, {"$group": {"_id": "$type", "n": {"$sum": 1}}}]
print(json.dumps({found["_id"]: found["n"] for found in log.interaction_logs.aggregate(per_type)}))
"""


class RunningStack(Protocol):
    """`logins`: demo passwords by username."""

    address: str
    logins: dict[str, str]

    def start(self) -> None:
        """Start everything and wait until it is ready."""

    def kill(self) -> list[str]:
        """SIGKILL all processes, including the stores; returns their names."""

    def kill_postgres(self) -> None:
        """SIGKILL all processes of PostgreSQL without restarting it."""

    def start_postgres(self) -> None:
        """Start PostgreSQL unless it is running, and wait until it answers."""

    def stop(self) -> None:
        """Stop everything gracefully."""

    def logged_events(self, user_id: str) -> Counter[str]:
        """Number of events about a user in the interaction log, by type."""


class LocalStack:
    """The stack of `cogniflow up` in a separate folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._environment = {**os.environ, "COGNIFLOW_HOME": str(home)}
        self.address = ""
        self.logins: dict[str, str] = {}

    def start(self) -> None:
        self._run("up", "--detach")
        facts = self.info()
        self.address, self.logins = facts["address"], facts["logins"]

    def info(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self._run("info", "--json"))
        return facts

    def kill(self) -> list[str]:
        pids: dict[str, int] = self.info()["processes"]
        supervisor = psutil.Process(pids["supervisord"])
        family = [supervisor, *supervisor.children(recursive=True)]
        _kill(family)
        psutil.wait_procs(family, timeout=10)
        assert not any(psutil.pid_exists(pid) and _alive(pid) for pid in pids.values())
        return list(pids)

    def kill_postgres(self) -> None:
        supervisor, server = self._postgres()
        pid = supervisor.states()[server.name].pid
        assert pid is not None, "PostgreSQL runs"
        main = psutil.Process(pid)
        # Frozen until the supervisor has the stop request; otherwise it would restart PostgreSQL.
        main.suspend()
        family = [main, *main.children(recursive=True)]
        supervisor.stop_process(server)
        _kill(family)
        psutil.wait_procs(family, timeout=10)

    def start_postgres(self) -> None:
        supervisor, server = self._postgres()
        if not supervisor.states()[server.name].alive:
            supervisor.start_process(server)
        wait_until_ready(server.name, server.check, _START_S, lambda: supervisor.states()[server.name].alive)

    def _postgres(self) -> tuple[Supervisor, Process]:
        supervisor = find_running(self._home)
        assert supervisor is not None, "the stack runs"
        [server] = [process for process in processes(supervisor.stack) if process.name == "postgres"]
        return supervisor, server

    def stop(self) -> None:
        self._run("down")

    def logged_events(self, user_id: str) -> Counter[str]:
        environment = {"MONGO_URL": self.info()["stores"]["mongo"]["urls"]["analytics"]}
        return _counted(_output([sys.executable, "-c", _COUNT_EVENTS, user_id], environment))

    def _run(self, *arguments: str) -> str:
        return _output([_COMMAND, *arguments], self._environment)


class ComposeStack:
    """The compose stack of this checkout, as .env and COMPOSE_PROJECT_NAME describe it."""

    def __init__(self) -> None:
        services = json.loads(_compose("config", "--format", "json"))["services"]
        port = services["gateway"]["ports"][0]["published"]
        settings = services["users-service"]["environment"]
        self.address = f"http://127.0.0.1:{port}"
        self.logins = {
            who: settings[f"DEMO_{who.upper()}_PASSWORD"] for who in ("learner", "instructor", "admin")
        }

    def start(self) -> None:
        # Without --build, to test the existing images.
        _compose("up", "--detach", "--wait", "--wait-timeout", str(_START_S))

    def kill(self) -> list[str]:
        running = _compose("ps", "--services", "--status", "running").split()
        _compose("kill", "--signal", "SIGKILL")
        return running

    def kill_postgres(self) -> None:
        _compose("kill", "--signal", "SIGKILL", "postgres")

    def start_postgres(self) -> None:
        _compose("up", "--detach", "--no-deps", "--wait", "--wait-timeout", str(_START_S), "postgres")

    def stop(self) -> None:
        _compose("down")

    def logged_events(self, user_id: str) -> Counter[str]:
        count = ("python", "-c", _COUNT_EVENTS, user_id)
        return _counted(_compose("exec", "--no-TTY", "analytics-service", *count))


def _counted(output: str) -> Counter[str]:
    return Counter(json.loads(output))


def _kill(family: list[psutil.Process]) -> None:
    for process in family:
        # Connection processes of PostgreSQL may end by themselves meanwhile.
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _alive(pid: int) -> bool:
    return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _compose(*arguments: str) -> str:
    return _output(["docker", "compose", *arguments], dict(os.environ))


def _output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        env=environment,
        cwd=repository_root(),
        capture_output=True,
        text=True,
        timeout=_START_S + 30,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
    return done.stdout
