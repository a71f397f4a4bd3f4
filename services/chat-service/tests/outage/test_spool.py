"""The files on disk: whole lines or none, one owner, whatever is in them."""

import json
import resource
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.loader import parse
from chat_service.programs.sessions.durable import spool as module
from chat_service.programs.sessions.durable.spool import Spool, SpoolTaken
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn, write_spooled_turn
from chat_service.programs.sessions.store import StartRequest, new_program_session
from chat_service.turns.errors import TurnInProgress
from chat_service.turns.model import Message
from cogniflow_kit.errors import Unavailable

PROGRAMS = Path(__file__).parents[4] / "content" / "programs"
WORDS = "In Monday's meeting my proposal was rejected and I thought I'm not good enough."


@pytest.fixture(scope="module")
def driven():
    return parse((PROGRAMS / "driven.yaml").read_text(encoding="utf-8"), "driven.yaml")


@pytest.fixture
def spool(spool_dir):
    spool = Spool(spool_dir)
    spool.open()
    yield spool
    spool.close()


@pytest.fixture
def program_session(driven):
    return new_program_session(StartRequest(uuid4(), "Ada"), driven)


def spooled(program_session: ProgramSession, name: str = "one", words: str = WORDS) -> SpooledTurn:
    session_state = program_session.state
    message = Message(session_state.user_id, session_state.session_id, name, "fingerprint", words)
    engine = CoachEngine()
    analysis = engine.analyze(message, program_session)
    result = engine.answer(message, program_session, analysis, lambda: None)
    return SpooledTurn(
        message=message,
        analysis=analysis,
        coach_reply=result.coach_reply,
        base_version=session_state.version,
        week=1,
        run=1,
        question_number=1,
        asks_question=result.next_step.asks_question,
        state=result.next_step.state,
        reply=result.reply,
        answered_at=datetime.now(UTC),
    )


def test_turns_come_back_as_they_were(spool, spool_dir, program_session):
    first = spooled(program_session)
    second = spooled(ProgramSession(first.state, program_session.program), "two", "What do you mean?")
    spool.append(first)
    spool.append(second)
    session_id = program_session.state.session_id
    assert spool.turns(session_id) == [first, second]
    assert (spool.waiting_turns, spool.session_ids()) == (2, [session_id])
    spool.close()
    again = Spool(spool_dir)
    again.open()
    assert again.turns(session_id) == [first, second]
    assert (again.waiting_turns, again.size_bytes) == (2, spool.size_bytes)
    again.remove_session(session_id)
    assert (again.waiting_turns, again.size_bytes, again.session_ids()) == (0, 0, [])
    again.close()


def test_others_on_the_machine_can_read_nothing(spool, spool_dir, program_session):
    spool.append(spooled(program_session))
    spool_dir.chmod(0o755)
    spool.close()
    Spool(spool_dir).open()
    modes = {path.name: path.stat().st_mode & 0o777 for path in [spool_dir, *spool_dir.iterdir()]}
    assert modes == {
        spool_dir.name: 0o700,
        "owner": 0o600,
        f"{program_session.state.session_id}.jsonl": 0o600,
    }


def test_a_line_that_was_cut_off_is_dropped(spool, spool_dir, program_session):
    first = spooled(program_session)
    spool.append(first)
    path = spool_dir / f"{program_session.state.session_id}.jsonl"
    spool.close()
    with path.open("ab") as file:
        file.write(path.read_bytes()[:-40])
    again = Spool(spool_dir)
    again.open()
    second = spooled(ProgramSession(first.state, program_session.program), "two", "What do you mean?")
    assert again.turns(program_session.state.session_id) == [first]
    again.append(second)
    assert again.turns(program_session.state.session_id) == [first, second]
    assert path.read_bytes().count(b"\n") == 2
    again.close()


def test_an_empty_file_makes_nobody_wait(spool, spool_dir, program_session):
    spool.close()
    path = spool_dir / f"{program_session.state.session_id}.jsonl"
    path.write_bytes(b'{"torn')
    again = Spool(spool_dir)
    again.open()
    assert not again.has_session(program_session.state.session_id)
    assert not path.exists()
    again.close()


def test_on_a_full_disk_nothing_is_kept_and_nothing_half(spool, spool_dir, program_session):
    """A limit on the size of files fails in the middle of a write, as a full disk does."""
    first = spooled(program_session)
    spool.append(first)
    second = spooled(ProgramSession(first.state, program_session.program), "two", "What do you mean?")
    path = spool_dir / f"{program_session.state.session_id}.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, limits[1]))
    try:
        with pytest.raises(Unavailable) as refused:
            spool.append(second)
        other = spooled(new_program_session(StartRequest(uuid4(), "Bo"), program_session.program))
        assert spool.size_bytes == path.stat().st_size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert int(refused.value.headers["Retry-After"]) > 0
    assert spool.turns(program_session.state.session_id) == [first]
    assert path.read_bytes().count(b"\n") == 1
    spool.append(second)
    spool.append(other)
    assert spool.turns(program_session.state.session_id) == [first, second]


def test_there_is_a_limit(spool, program_session, monkeypatch):
    first = spooled(program_session)
    monkeypatch.setattr(module, "CAPACITY_BYTES", len(write_spooled_turn(first)) + 9)
    spool.append(first)
    with pytest.raises(Unavailable):
        spool.append(spooled(new_program_session(StartRequest(uuid4(), "Bo"), program_session.program)))
    assert spool.waiting_turns == 1


def test_a_second_process_is_refused(spool, spool_dir):
    with pytest.raises(SpoolTaken, match="SPOOL_DIR"):
        Spool(spool_dir).open(timeout_s=0.2)
    code = (
        "from pathlib import Path; from chat_service.programs.sessions.durable.spool import Spool;"
        f" Spool(Path({str(spool_dir)!r})).open(0.2)"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert "another chat-service uses" in other.stderr


def test_a_new_process_waits_for_the_one_before_it(spool, spool_dir):
    next_step = Spool(spool_dir)
    thread = Thread(target=next_step.open)
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()
    spool.close()
    thread.join(5)
    assert not thread.is_alive()
    next_step.close()


def test_what_is_closed_takes_nothing(spool, program_session):
    spool.close()
    with pytest.raises(Unavailable):
        spool.append(spooled(program_session))


def test_what_an_older_release_wrote_is_set_aside(spool, spool_dir, program_session):
    spool.append(spooled(program_session))
    session_id = program_session.state.session_id
    path = spool_dir / f"{session_id}.jsonl"
    spool.close()
    line = json.loads(path.read_text())
    line["step"]["a_field_of_long_ago"] = 1
    path.write_text(json.dumps(line) + "\n")
    (spool_dir / "not-a-session.jsonl").write_text("{}\n")
    again = Spool(spool_dir)
    again.open()
    assert not again.has_session(session_id)
    kept = again.files_set_aside()
    assert [aside.name[: -len("-") - 36] for aside in kept] == [
        f"{session_id}.jsonl.unreadable",
        "not-a-session.jsonl.unreadable",
    ]
    assert json.loads(kept[0].read_text()) == line
    again.close()


def test_what_is_set_aside_twice_is_kept_twice(spool, program_session):
    for name in ("one", "two"):
        spool.append(spooled(program_session, name))
        spool.set_aside(program_session.state.session_id, "diverged")
    assert not spool.has_session(program_session.state.session_id)
    names = [json.loads(path.read_text())["message"]["client_message_id"] for path in spool.files_set_aside()]
    assert names == ["one", "two"]


def test_a_session_is_held_by_one(spool):
    session_id = uuid4()
    with spool.lock_session(session_id):
        with pytest.raises(TurnInProgress), spool.lock_session(session_id, 0.05):
            pass
        with spool.lock_session(uuid4()):
            pass
    with spool.lock_session(session_id):
        pass


def test_an_append_does_not_look_at_every_file(spool, program_session, monkeypatch):
    """With thousands of files it must cost what it costs with one."""
    turn = spooled(program_session)
    for how in ("glob", "iterdir"):
        monkeypatch.setattr(Path, how, lambda *_: pytest.fail("the folder was listed"))
    spool.append(turn)
    assert spool.size_bytes == len(write_spooled_turn(turn))
