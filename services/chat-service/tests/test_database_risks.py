"""The risks that were written down before there was a database behind the conversations, each as a test.

Most have files of their own that go further; here is what matters, on the real database.
"""

from contextlib import ExitStack, suppress
from uuid import UUID, uuid4

import pytest
import yaml
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError
from taking import MISHAP, WAY, Taking

from chat_service import tables
from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.content.loader import publish
from chat_service.programs.content.validation import InvalidProgram
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.programs.sessions.stored_forms import read_answers
from chat_service.turns.model import Message
from chat_service.turns.protocol import run_turn
from cogniflow_dev.testing.databases import schema_drift
from cogniflow_dev.testing.round_trips import count_round_trips
from cogniflow_kit.sql.database import Database

RESPONSES = """
SELECT r.question_id, message_text FROM nova_responses r JOIN turns USING (turn_id)
JOIN conversation_messages m ON m.session_id = r.session_id AND turn_sequence = sequence AND position = 1
"""
ONE_WEEK = """
slug: one-week
version: 1
title: One week
description: For the risks.
weeks:
  - week_number: 1
    name: Week 1
    title: Only
    description: One question.
    content_blocks: [{block_name: TIP, content_text: Breathe.}]
    questions:
      - question_number: 1
        question_text: How are you?
        prompts:
          - {prompt_type: classifier, prompt_text: c}
          - {prompt_type: scenario_2_respond, prompt_text: p, response_text: "Well. {TIP}"}
          - {prompt_type: scenario_1_respond, prompt_text: p, response_text: Oh., conditions: {any_of: [bad]}}
"""


@pytest.fixture
def publish_one(database):
    def do(source: str) -> None:
        with database.transaction() as session:
            publish(session, source, "one-week.yaml")

    return do


@pytest.fixture
def execute(database):
    def do(statement: str, **values) -> int:
        with database.transaction() as session:
            return session.execute(text(statement), values).rowcount

    return do


def test_risk_01_state_is_not_only_in_memory(make_client, database, mongo, as_maja):
    with make_client(database) as before:
        begun = before.post("/api/programs/practice/start", headers=as_maja).json()
        reply = Taking(before, as_maja, begun).reply(MISHAP)
    with make_client(database) as restarted:
        again = Taking(restarted, as_maja, begun)
        assert again.read()["question"] == reply["question"]
        assert again.reply("Home")["question"]["number"] == 3


def test_risk_02_prompts_are_read_from_the_database(make_client, database, mongo, as_maja, execute):
    changed = "UPDATE system_prompts SET response_text = 'From the table, {name}.' WHERE prompt_type = :kind"
    assert execute(changed, kind="scenario_1_respond") > 0
    execute("UPDATE questions SET question_text = 'Asked by the table' WHERE question_number = 2")
    with make_client(database) as client:
        begun = client.post("/api/programs/practice/start", headers=as_maja).json()
        reply = Taking(client, as_maja, begun).reply(MISHAP)
    assert (reply["response"], reply["question"]["text"]) == ("From the table, Maja.", "Asked by the table")


def test_risk_03_what_is_said_goes_into_the_database_and_comes_from_it(practice, rows, execute):
    reply = practice.reply(MISHAP)
    assert [row["answer_text"] for row in rows("user_answers")] == [MISHAP]
    assert [row["message_text"] for row in rows(RESPONSES)] == [reply["response"]]
    execute("UPDATE conversation_messages SET message_text = 'Changed' WHERE sender = 'user'")
    assert practice.read()["messages"][1]["message_text"] == "Changed"
    execute("DELETE FROM sessions")
    assert practice.get().status_code == 404


def test_risk_04_dictionaries_and_rows_say_the_same(practice, rows):
    for words in (
        "A meeting.",
        "It was long and I thought of lunch.",
        "What?",
        "Home",
        "skip",
        "Yes",
        "Nine",
    ):
        practice.reply(words)
    state = rows("SELECT conversation_data AS data FROM conversation_states WHERE is_completed")[0]["data"]

    def by_question(table: str, column: str) -> dict[str, list[str]]:
        found = rows(
            f"SELECT CAST(question_number AS text) AS q, array_agg({column} ORDER BY 1) AS said"
            f" FROM {table} t JOIN questions USING (question_id) GROUP BY question_number"
        )
        return {row["q"]: sorted(row["said"]) for row in found}

    said = {number: sorted(texts) for number, texts in state["answers"].items()}
    said["4"] = sorted([*said["4"], state["followups"]["4"]])
    assert by_question("user_answers", "answer_text") == said
    responses = by_question(f"({RESPONSES})", "message_text")
    assert {number: len(texts) for number, texts in responses.items()} == state["nova_responses"]
    scenarios = {number: [name] for number, name in state["scenario"].items()}
    assert by_question("question_completions", "scenario_classification") == scenarios
    assert state["question_completed"] == dict.fromkeys(scenarios, True)
    attempts = {row["q"]: row["n"] for row in rows(
        "SELECT CAST(question_number AS text) AS q, iteration_count AS n FROM question_completions"
        " JOIN questions USING (question_id) WHERE iteration_count > 0")}  # fmt: skip
    assert attempts == state["iteration_count"]


def test_risk_05_every_row_of_a_session_has_its_owner(rows):
    keyed = rows(
        "SELECT conrelid::regclass::text AS name, confdeltype FROM pg_constraint WHERE contype = 'f'"
        " AND confrelid = 'chat.sessions'::regclass AND conparentid = 0"
    )
    everywhere = {table.name for table in tables.metadata.sorted_tables if "session_id" in table.columns}
    with_session = everywhere - {"sessions"}
    assert {row["name"].removeprefix("chat.") for row in keyed} == with_session
    assert {row["confdeltype"] for row in keyed} == {"c"}, "what is a session's goes with it"
    for name in with_session - {"turns"}:
        assert not tables.metadata.tables[f"chat.{name}"].columns["user_id"].nullable, name


def test_risk_06_a_week_number_means_the_week_of_ones_own_program(practice, begin, rows):
    titles = {begin(slug).read("/weeks/1")["title"] for slug in ("open-door", "driven")}
    assert len(titles | {practice.read("/weeks/1")["title"]}) == 3
    assert len(rows("SELECT week_id FROM weeks WHERE week_number = 1")) >= 4
    practice.reply(MISHAP)
    (row,) = rows(
        "SELECT title FROM user_answers JOIN questions USING (question_id) JOIN weeks USING (week_id)"
    )
    assert row["title"] == "Noticing"


def test_risk_07_flat_prompt_rows_become_the_branches_of_their_question(database, publish_one, rows):
    publish_one(ONE_WEEK)
    (stored,) = rows(
        "SELECT version_id FROM program_versions JOIN programs USING (program_id) WHERE slug = 'one-week'"
    )
    question = Catalog(database).get(stored["version_id"]).weeks[0].question(1)
    assert [prompt.prompt_type for prompt in question.scenarios] == [
        "scenario_1_respond",
        "scenario_2_respond",
    ]
    assert question.prompt("classifier").prompt_text == "c"
    flat = rows("SELECT prompt_type, scenario_name FROM system_prompts JOIN questions USING (question_id)"
                " WHERE question_text = 'How are you?' ORDER BY 1")  # fmt: skip
    assert [tuple(row.values()) for row in flat] == [
        ("classifier", None),
        ("scenario_1_respond", "SCENARIO_1"),
        ("scenario_2_respond", "SCENARIO_2"),
    ]


def test_risk_08_variables_are_filled_from_what_was_answered(practice):
    replies = practice.go(8)
    assert replies[2]["question"]["text"] == f'About Home, and "{MISHAP}": do you want to go on with it?'
    assert replies[6]["question"]["text"].endswith("What did you learn about Home, Maja?")
    assert not any(
        brace in str(practice.read()["messages"]) for brace in ("{name}", "{Answer", "{sel", "{WEEK")
    )


def test_risk_09_content_blocks_are_put_in(make_client, database, mongo, as_maja, execute):
    assert (
        execute("UPDATE week_content_blocks SET content_text = 'Sleep on it.' WHERE block_name = 'WEEK1_TIP'")
        == 1
    )
    with make_client(database) as client:
        session = Taking(client, as_maja, client.post("/api/programs/practice/start", headers=as_maja).json())
        replies = session.go(7)
    assert replies[0]["response"].endswith("Sleep on it.")
    assert replies[6]["question"]["text"].startswith("Sleep on it."), "in a later week as well"


def test_risk_10_a_turn_takes_three_round_trips(committing, stores):
    user_id = uuid4()
    session_id = (
        SqlSessionStore(committing, Catalog(committing))
        .start(StartRequest(user_id, "Ada"), "practice")
        .session_id
    )
    with count_round_trips(stores.ports.postgres) as wire:
        url = committing.engine.url.set(port=wire.port).render_as_string(hide_password=False)
        watched = Database(url, application="tests", pool_size=1)
        turns = SqlTurnStore(watched, Catalog(watched))
        costs = []
        for number, words in enumerate(WAY):
            wire.round_trips = 0
            run_turn(turns, CoachEngine(), Message(user_id, session_id, str(number), words, words))
            costs.append(wire.round_trips)
        watched.close()
    assert costs[1:] == [3] * 7, "the first reads the program as well"


def test_risk_11_prompts_are_read_once(client, begin, database, tokens, rows):
    asked = []
    listen = lambda *args: asked.append(args[2])  # noqa: E731
    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        for _ in range(2):
            begin(who={"Authorization": f"Bearer {tokens.user()}"}).go(8)
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)
    assert len(rows("turns")) == 16
    of_prompts = [statement for statement in asked if "chat.system_prompts" in statement]
    assert len(of_prompts) == 1, "one query for all questions of the program, once for both sessions"


def test_risk_12_a_turn_is_stored_as_a_whole_or_not_at_all(practice, rows, execute):
    """The completion can't be stored: then there is no answer, no response, no new state either."""
    execute("ALTER TABLE question_completions ADD CONSTRAINT broken CHECK (iteration_count < 0)")
    kept = ("user_answers", "nova_responses", "question_completions", "conversation_states", "outbox")
    before = {table: rows(table) for table in kept}
    with suppress(IntegrityError):
        assert practice.say(MISHAP, client_message_id="one").status_code == 500
    assert {table: rows(table) for table in kept} == before
    assert practice.read()["version"] == 1
    execute("ALTER TABLE question_completions DROP CONSTRAINT broken")
    execute("UPDATE turns SET lease_expires_at = now() - interval '1 s'")
    assert practice.reply(MISHAP, client_message_id="one")["question_completed"] is True


def test_risk_13_without_the_database_a_session_goes_on(
    make_client, committing, mongo, stores, as_maja, tmp_path
):
    with ExitStack() as way:
        wire = way.enter_context(count_round_trips(stores.ports.postgres))
        url = committing.engine.url.set(port=wire.port).render_as_string(hide_password=False)
        cut_off = Database(url, application="tests")
        with make_client(cut_off, spool_dir=tmp_path / "spool") as client:
            begun = client.post("/api/programs/practice/start", headers=as_maja).json()
            session = Taking(client, as_maja, begun)
            assert session.reply(MISHAP)["status"] == "completed"
            way.close()
            cut_off.engine.dispose()
            reply = session.reply("Home")
            assert (reply["status"], reply["question"]["number"]) == ("queued", 3)
            other = client.get("/api/programs", headers=as_maja)
            assert (other.status_code, int(other.headers["Retry-After"]) > 0) == (503, True)


def test_risk_14_programs_come_into_the_tables_from_their_files(settings, rows):
    for path in (settings.content_dir / "programs").glob("*.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        questions = [question for week in content["weeks"] for question in week["questions"]]
        (found,) = rows(
            "SELECT count(DISTINCT week_id) AS weeks, count(DISTINCT question_id) AS questions,"
            " count(DISTINCT prompt_id) AS prompts, count(DISTINCT content_id) AS blocks FROM programs"
            " JOIN program_versions USING (program_id) JOIN weeks USING (version_id)"
            " JOIN questions USING (week_id) JOIN system_prompts USING (question_id)"
            " LEFT JOIN week_content_blocks USING (week_id) WHERE slug = :slug AND version = :version",
            slug=content["slug"],
            version=content["version"],
        )
        assert found == {
            "weeks": len(content["weeks"]),
            "questions": len(questions),
            "prompts": sum(len(question["prompts"]) for question in questions),
            "blocks": sum(len(week.get("content_blocks", [])) for week in content["weeks"]),
        }, path.name


# Risk 15, the state of the older system, is tested in tools/legacy-import/tests/test_import.py.


def test_risk_16_every_table_has_its_model_and_every_model_its_table(settings, database):
    assert schema_drift(settings, tables.metadata) == []
    with database.transaction() as session:
        for mapper in tables.Base.registry.mappers:
            session.scalars(select(mapper.class_).limit(1)).all()


def test_risk_17_every_program_runs_on_the_database(client, as_maja, rows):
    listed = client.get("/api/programs", headers=as_maja).json()["items"]
    assert len(listed) == len(rows("programs"))
    for program in listed:
        session = client.post(f"/api/programs/{program['slug']}/start", headers=as_maja).json()
        (first,) = rows(
            "SELECT question_text FROM sessions s JOIN weeks w ON w.week_id = s.current_week_id"
            " JOIN questions q ON q.week_id = w.week_id WHERE question_number = 1 AND session_id = :id",
            id=UUID(session["id"]),
        )
        assert session["question"]["text"] == first["question_text"].replace("{name}", "Maja")


def test_risk_18_progress_is_kept_in_one_place(practice, rows, execute):
    practice.go(7)
    shown = {week["week"]: week["questions_completed"] for week in practice.read()["progress"]}
    counted_rows = rows(
        "SELECT week_number, count(*) AS done FROM question_completions JOIN questions USING (question_id)"
        " JOIN weeks USING (week_id) GROUP BY week_number"
    )
    assert shown == {row["week_number"]: row["done"] for row in counted_rows} | {4: 0}
    same = (
        "SELECT count(*) AS n FROM user_progress p"
        " JOIN conversation_states c USING (session_id, week_id, run)"
        " WHERE (p.is_completed, p.current_question_number) = (c.is_completed, c.current_question_number)"
        " AND p.metadata = coalesce(c.conversation_data->'choices', '{}')"
    )
    assert rows(same) == [{"n": 3}]


def test_risk_19_rows_are_inserted_in_the_order_that_their_keys_want(execute, publish_one, rows):
    orphan = (
        "INSERT INTO questions (question_id, week_id, question_number, question_text, question_type,"
        " requires_followup) VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'q', 'open_ended', false)"
    )
    with pytest.raises(IntegrityError):
        execute(orphan)
    before = len(rows("weeks"))
    execute("ALTER TABLE system_prompts ADD CONSTRAINT broken CHECK (prompt_text <> 'p')")
    with pytest.raises(IntegrityError):
        publish_one(ONE_WEEK)
    assert len(rows("weeks")) == before, "a program is published as a whole"
    execute("ALTER TABLE system_prompts DROP CONSTRAINT broken")
    publish_one(ONE_WEEK)
    assert len(rows("weeks")) == before + 1


def test_risk_20_state_in_json_keeps_its_types_and_can_be_asked(practice, database, execute, rows):
    practice.reply("A meeting.")
    practice.reply("It was long and I thought of lunch.")
    asked = (
        "SELECT session_id FROM conversation_states"
        " WHERE (conversation_data->'iteration_count'->>'1')::int = 2"
        " AND conversation_data->'answers'->'1' ? 'A meeting.'"
        """ AND conversation_data @> '{"question_completed": {"1": true}}'"""
    )
    assert [str(row["session_id"]) for row in rows(asked)] == [practice.id]
    with database.transaction() as session:
        kept = session.scalar(select(tables.ConversationState.conversation_data))
    state = read_answers(kept)
    assert (state.iterations(1), state.is_completed(1), state.iterations(2)) == (2, True, 0)
    with pytest.raises(ValueError, match="iteration_count"):
        read_answers(kept | {"iteration_count": {"1": "many"}})
    with pytest.raises(ValueError, match="unknown"):
        read_answers(kept | {"unknown": 1})


def test_risk_21_the_tests_use_the_database_that_is_used_in_earnest(committing):
    catalog, user_id = Catalog(committing), uuid4()
    begun = SqlSessionStore(committing, catalog).start(StartRequest(user_id, "Ada"), "practice").session_id
    run_turn(SqlTurnStore(committing, catalog), CoachEngine(), Message(user_id, begun, "a", "f", MISHAP))
    other = Database(committing.engine.url.render_as_string(hide_password=False), application="tests")
    with other.transaction() as session:
        assert session.scalar(text("SELECT version()")).startswith("PostgreSQL 1")
        assert session.scalar(text("SHOW fsync")) == session.scalar(text("SHOW synchronous_commit")) == "on"
        assert session.scalar(select(func.count()).select_from(tables.UserAnswer)) == 1
    other.close()


def test_risk_22_an_incomplete_program_is_refused_and_nothing_of_it_stored(publish_one, rows):
    before = len(rows("program_versions"))
    broken = {
        "the prompt classifier is missing": ("- {prompt_type: classifier, prompt_text: c}", ""),
        "{NOWHERE} is neither": ("{TIP}", "{NOWHERE}"),
        "the response_text is missing": (", response_text: Oh.", ""),
        "numbers are 2": ("question_number: 1", "question_number: 2"),
    }
    for problem, (there, instead) in broken.items():
        with pytest.raises(InvalidProgram) as refused:
            publish_one(ONE_WEEK.replace(there, instead))
        assert any(problem in str(one) and one.week == 1 for one in refused.value.messages), (
            refused.value.messages
        )
    assert len(rows("program_versions")) == before
    publish_one(ONE_WEEK)
    assert len(rows("program_versions")) == before + 1
