"""The doctor finds what is wrong, and says what to do."""

import os
import socket
from pathlib import Path

import pytest

from cogniflow_dev.doctor import Finding, Verdict, examine
from cogniflow_dev.ports import LOOPBACK
from cogniflow_dev.processes import ProcessIdentity
from cogniflow_dev.stack import USUAL_PORTS, Stack
from cogniflow_dev.state import State


def _findings(home: Path) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(home)}


def test_this_machine_can_run_the_stack(stack: Stack) -> None:
    problems = [finding for finding in examine(stack.home) if finding.verdict is Verdict.PROBLEM]
    assert problems == []


def test_looking_changes_nothing(home: Path) -> None:
    assert _findings(home)["data folder"].verdict is Verdict.FINE
    assert not home.exists()


def test_a_server_that_does_not_run_here(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho 'libssl.so.3: cannot open shared object file' >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    finding = _findings(stack.home)["Redis"]
    assert finding.verdict is Verdict.PROBLEM
    assert "libssl.so.3" in finding.text
    assert "docker" in finding.remedy.lower()


def test_an_old_mongod_on_the_path_is_passed_over(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "mongod"
    old.write_text("#!/bin/sh\necho 'db version v4.4.1'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    finding = _findings(stack.home)["MongoDB"]
    assert finding.verdict is Verdict.FINE
    assert str(old) not in finding.text


def test_a_taken_port_is_named_and_does_no_harm(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        taken = server.getsockname()[1]
        monkeypatch.setitem(USUAL_PORTS, "gateway", taken)
        finding = _findings(stack.home)["usual ports"]
    assert finding.verdict is Verdict.NOTE
    assert f"{taken} (gateway)" in finding.text


def test_secrets_that_others_can_read(stack: Stack) -> None:
    (stack.home / "secrets.json").chmod(0o644)
    finding = _findings(stack.home)["secrets"]
    assert finding.verdict is Verdict.PROBLEM
    assert "chmod 600" in finding.remedy


def test_a_run_that_was_killed(stack: Stack) -> None:
    State(stack.ports, ProcessIdentity(os.getpid(), created=0.0)).save(stack.home)
    finding = _findings(stack.home)["stack"]
    assert finding.verdict is Verdict.NOTE
    assert "killed" in finding.text
