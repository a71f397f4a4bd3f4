"""Stored forms: every version reads to the same domain values, and HTTP bodies can change without them.

`data/stored/v1` was written by the release before stored forms had versions:
a session of `practice` with two stored turns, then seven queued ones; a
conversation with the tutor. `data/stored/v2` has the same in version 2.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from bson import json_util
from bson.binary import UuidRepresentation
from pydantic import TypeAdapter

from chat_service.programs.coach.turn import ProgramReply
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.catalog import read_cached_program, write_cached_program
from chat_service.programs.content.loader import parse
from chat_service.programs.content.rendering import authored
from chat_service.programs.sessions.durable.spooled_turn import read_spooled_turn, write_spooled_turn
from chat_service.programs.sessions.stored_forms import (
    read_answers,
    read_reply,
    stored_answers,
    write_reply,
)
from chat_service.stored_form import UnreadableForm
from chat_service.tutor.replies import Citation, TutorReply
from chat_service.tutor.replies import read_reply as read_tutor_reply
from chat_service.tutor.replies import stored_reply as stored_tutor_reply

DATA = Path(__file__).parent / "data"
STORED = DATA / "stored"
VERSIONS = pytest.mark.parametrize("version", ["v1", "v2"])
_BSON = json_util.JSONOptions(uuid_representation=UuidRepresentation.STANDARD, tz_aware=True)


def read_json(version: str, name: str):
    return json.loads((STORED / version / name).read_text(encoding="utf-8"))


def spool_lines(version: str) -> list[bytes]:
    (path,) = (STORED / version / "spool").glob("*.jsonl")
    return path.read_bytes().splitlines()


def tutor_documents(version: str):
    return json_util.loads((STORED / version / "tutor-turns.json").read_text(), json_options=_BSON)


@VERSIONS
def test_replies_read_as_they_were_sent(version):
    turns = read_json(version, "session-rows.json")["turns"]
    for turn in turns:
        reply = TypeAdapter(ProgramReply).dump_python(read_reply(turn["result"]), mode="json")
        sent = read_json("v1", "completed-answers.json")[turn["client_message_id"]]
        assert reply == {name: sent[name] for name in reply}


@VERSIONS
def test_answers_of_a_week(version):
    (state,) = read_json(version, "session-rows.json")["conversation_states"]
    answers = read_answers(state["conversation_data"])
    assert answers == WeekAnswers(
        answers={"1": ["In the meeting my plan was refused and I thought it was my fault."], "2": ["Home"]},
        nova_responses={"1": 1, "2": 1},
        iteration_count={"1": 1, "2": 1},
        question_completed={"1": True, "2": True},
        scenario={"1": "SCENARIO_1", "2": "SCENARIO_2"},
        chosen={"2": "Home"},
        choices={"selected_problem": "Home"},
    )
    assert read_answers("{}") == WeekAnswers()


@VERSIONS
def test_spooled_turns(version):
    turns = [read_spooled_turn(line) for line in spool_lines(version)]
    assert [turn.message.client_message_id for turn in turns] == [
        "three", "four", "five", "six", "seven", "eight", "nine",
    ]  # fmt: skip
    assert [turn.coach_reply.kind for turn in turns] == [
        "aside", "aside", "skip", "answer", "answer", "answer", "restart",
    ]  # fmt: skip
    assert [turn.base_version for turn in turns] == list(range(3, 10))
    assert [turn.state.version for turn in turns] == list(range(4, 11))
    assert [turn.asks_question for turn in turns] == [False, False, True, False, False, True, True]
    _, danger, skip, incomplete, voice, _, restart = turns
    assert (danger.analysis.risk.category, danger.analysis.risk.severity) == ("suicide", "imminent")
    assert skip.coach_reply.prompt_id == UUID(_prompt_id(spool_lines("v1")[2]))
    assert incomplete.coach_reply.validation.missing == incomplete.reply.missing != []
    assert (voice.message.message_type, voice.message.recording_ref) == ("voice", "blob:7")
    assert voice.coach_reply.classification_method == "rule_based"
    assert voice.coach_reply.classification_confidence == 1.0
    assert restart.coach_reply.restarts == 1
    assert max(week.run for week in restart.state.weeks) == 2
    for turn in turns:
        sent = read_json("v1", "queued-answers.json")[turn.message.client_message_id]
        reply = TypeAdapter(ProgramReply).dump_python(turn.reply, mode="json")
        assert reply == {name: sent[name] for name in reply}


def _prompt_id(line: bytes) -> str:
    return json.loads(line)["step"]["prompt"]["prompt_id"]


def test_both_versions_of_spooled_turns_read_alike():
    first, second = ([read_spooled_turn(line) for line in spool_lines(name)] for name in ("v1", "v2"))
    assert first == second


@VERSIONS
def test_cached_programs(version):
    program = read_cached_program((STORED / version / "program.json").read_bytes())
    source = DATA / "programs" / "practice.yaml"
    assert authored(program) == authored(parse(source.read_text(encoding="utf-8"), source.name))
    assert program.version_id == UUID(read_json("v1", "session-rows.json")["sessions"][0]["version_id"])


@VERSIONS
def test_replies_of_the_tutor(version):
    replies = [read_tutor_reply(document["reply"]) for document in tutor_documents(version)]
    sent = read_json("v1", "tutor-answers.json")
    assert [TypeAdapter(TutorReply).dump_python(reply, mode="json") for reply in replies] == [
        {name: answer[name] for name in ("resources", "answer", "answered", "citations")} for answer in sent
    ]
    assert [reply.answered for reply in replies] == [True, False]
    assert isinstance(replies[0].citations[0], Citation)


def test_this_release_writes_version_2():
    """The sample files of version 2 are what this release writes."""
    lines = spool_lines("v2")
    assert [write_spooled_turn(read_spooled_turn(line)) for line in lines] == [line + b"\n" for line in lines]
    rows = read_json("v2", "session-rows.json")
    for turn in rows["turns"]:
        assert json.loads(write_reply(read_reply(turn["result"]))) == turn["result"]
    for state in rows["conversation_states"]:
        assert stored_answers(read_answers(state["conversation_data"])) == state["conversation_data"]
    cached = (STORED / "v2" / "program.json").read_bytes()
    assert json.loads(write_cached_program(read_cached_program(cached))) == json.loads(cached)
    for document in tutor_documents("v2"):
        assert stored_tutor_reply(read_tutor_reply(document["reply"])) == document["reply"]


@pytest.mark.parametrize(
    ("read", "stored"),
    [
        (read_reply, {"form_version": 3}),
        (read_answers, {"form_version": 3}),
        (read_answers, {"answers": {"1": "not a list"}}),
        (read_answers, {"a_later_field": {}}),
        (read_tutor_reply, {"form_version": 3}),
    ],
)
def test_what_a_later_release_wrote_is_refused(read, stored):
    with pytest.raises(UnreadableForm):
        read(stored)


@pytest.mark.parametrize(
    "change",
    [
        {"form_version": 3},
        {"form_version": None},
        {"step": None},
        {"step": {}},
        {"a_later_field": 1},
        {"message": {"text": "secret"}},
    ],
)
@VERSIONS
def test_a_changed_spool_line_is_refused_without_its_words(version, change):
    line = json.loads(spool_lines(version)[0]) | change
    with pytest.raises(UnreadableForm) as refused:
        read_spooled_turn(json.dumps(line).encode())
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("cached", [b"", b"[]", b"{}", b'{"form_version": 3}', b'{"form_version": 2}'])
def test_an_unreadable_cached_program_is_refused(cached):
    with pytest.raises(UnreadableForm):
        read_cached_program(cached)


def test_a_field_added_to_a_reply_is_ignored():
    (turn, _) = read_json("v2", "session-rows.json")["turns"]
    assert read_reply(turn["result"] | {"a_later_field": 1}) == read_reply(turn["result"])


def test_times_keep_their_zone():
    turn = read_spooled_turn(spool_lines("v2")[0])
    assert turn.answered_at.tzinfo is not None
    assert turn.answered_at > datetime(2026, 1, 1, tzinfo=UTC)
