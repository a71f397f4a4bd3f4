"""JSON, SQL and SQLite files: recognition by content, damaged input, counts of all records."""

import json
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy_import.ledger import Ledger
from legacy_import.sources import SourceReader

KINDS = {
    "week2_main.py": "week_modules",
    "user_progress.json": "progress",
    "conversation_states.json": "states",
    "chat_history.sql": "bot",
}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_file_is_known_by_its_content(read_one, old_files, name, kind):
    assert read_one((old_files / name).read_bytes(), "whatever.bin").kind == kind


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is empty"),
        ("Dear all, the old server is gone.", "of no known kind"),
        ('{"sess": {"current_week": 4,', "line 1"),
        ('{"sess": {"answers": {"1": ["x"}}}', "line 1"),
        ("[1, 2, 3]", "without progress or states"),
        ("{}", "without progress or states"),
        ("[" * 100_000, "invalid JSON"),
        ("SQLite format 3\x00" + "x" * 2000, "damaged"),
        ("CREATE TABLE chat_history(id INTEGER); nonsense", "syntax error"),
        ("INSERT INTO chat_history VALUES(1);", "no such table"),
    ],
)
def test_broken_files_are_named_with_a_reason(read_one, content, said):
    source = read_one(content)
    source.ledger.skip_rest("it is broken")
    account = source.ledger.as_json()
    assert any(said in problem["message"] for problem in account["problems"]), account
    if source.kind != "bot":
        assert source.ledger.has_errors


def test_paths_that_are_no_files(read, tmp_path):
    (gone,) = read(tmp_path / "gone.json")
    assert gone.ledger.has_errors
    assert read(tmp_path) == []


STATE = {"week_number": 1, "answers": {"1": ["a"]}}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"s1": STATE}),
        json.dumps(STATE | {"session_id": "s1"}),
        json.dumps([STATE | {"session_id": "s1"}]),
        json.dumps({"conversation_states": {"s1": STATE}}),
        json.dumps({"s1": {"1": {"answers": {"1": ["a"]}}}}),
        repr({"s1": {"week_number": 1, "answers": {1: ["a"]}}}),
        "\ufeff" + json.dumps({"s1": STATE}),
    ],
)
def test_states_in_all_their_forms(read_one, content):
    (record,) = read_one(content).content
    assert (record.legacy_id, record.week, record.answers) == ("s1", 1, {1: ["a"]})


def test_one_file_may_hold_both(read, tmp_path):
    file = tmp_path / "dump.json"
    progress = {"s": {"current_week": 1}}
    file.write_text(json.dumps({"user_progress": progress, "conversation_states": {"s": STATE}}))
    assert [source.kind for source in read(file)] == ["progress", "states"]


def test_values_of_other_kinds_are_left_one_by_one(read_one):
    state = {
        "week_number": "1",
        "answers": {"1": [None, 3, " ", "yes"], "x": ["lost"], "2": "alone"},
        "nova_responses": ["by position"],
        "iteration_count": {"1": "2", "2": {}},
        "question_completed": {"1": "true", "2": "perhaps"},
        "scenario": {"1": 2, "2": "none"},
        "selected_problem": "a\u0000b\ud800",
        "Bad Key": "x",
    }
    source = read_one(json.dumps({"s": state, "t": 5}))
    (record,) = source.content
    assert record.answers == {1: ["3", "yes"], 2: ["alone"]}
    assert record.iterations == {1: 2}
    assert record.completed == {1: True}
    assert record.scenarios == {1: "SCENARIO_2"}
    assert record.choices == {"selected_problem": "ab\ufffd"}
    source.ledger.count_imported_each(record.counts())
    account = source.ledger.as_json()
    assert account["counts_in"] == {
        "states": 2, "answers": 6, "nova_responses": 1, "iteration_count": 2, "question_completed": 2,
        "scenario": 2, "choices": 1,
    }  # fmt: skip


KEYS = st.sampled_from(
    ["answers", "nova_responses", "iteration_count", "question_completed", "scenario", "week_number", "name",
     "current_week", "current_question", "completed_weeks", "completed_questions", "last_active",
     "session_id", "conversation_states", "1", "2", "-1", "s1"]
) | st.text(max_size=4)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@settings(deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_no_json_makes_a_reader_raise_or_lose_a_record(tmp_path_factory, value):
    file = tmp_path_factory.mktemp("json") / "file.json"
    file.write_text(json.dumps(value))
    for source in SourceReader("any").read([file]):
        for record in source.content or []:
            source.ledger.count_imported_each(record.counts())
        source.ledger.check()


def test_a_sqlite_file_is_read_from_a_copy_with_its_journal(read, tmp_path, old_files):
    file = tmp_path / "chat.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript((old_files / "chat_history.sql").read_text().replace("'system'", "'bot'"))
    connection.commit()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert "chat.db-wal" in before
    (source,) = read(file)
    connection.close()
    assert source.kind == "bot"
    assert len(source.content.sessions["bot-a"].messages) == 4
    assert len(source.content.sessions["bot-b"].messages) == 4


@pytest.mark.parametrize(
    "attack",
    [
        "ATTACH DATABASE '{file}' AS stolen",
        "SELECT load_extension('x')",
        "CREATE VIRTUAL TABLE t USING fts5(x)",
        "INSERT INTO chat_history(session_id, role, message) SELECT 's', 'user', readfile('/etc/hostname')",
        "INSERT INTO chat_history(session_id, role, message) VALUES('s', 'user', hex(randomblob(1000000)))",
        "VACUUM INTO '{file}'",
        "DETACH DATABASE main",
    ],
)
def test_a_dump_may_do_nothing_but_fill_its_tables(read_one, tmp_path, attack):
    outside = tmp_path / "outside.db"
    dump = "CREATE TABLE chat_history(id INTEGER PRIMARY KEY, session_id, role, message, ts);\n"
    after = "INSERT INTO chat_history VALUES(1,'s','user','hi',NULL);"
    source = read_one(f"{dump}{attack.format(file=outside)};\n{after}")
    assert not outside.exists()
    (left,) = [left for left in source.ledger.skipped_records() if left["what"] == "sql_statements"]
    assert left["places"][0].endswith(":2")
    assert [row.values["text"] for row in source.content.sessions["s"].messages] == ["hi"]


def test_a_pragma_and_transactions_of_a_dump_are_passed_over(read_one):
    source = read_one(
        "PRAGMA writable_schema=ON;\nBEGIN;\nCREATE TABLE chat_history(session_id, role, message);\n"
        "INSERT INTO chat_history VALUES('s','user','a; b -- c');\nROLLBACK;"
    )
    assert [row.values["text"] for row in source.content.sessions["s"].messages] == ["a; b -- c"]
    assert any("ends with ROLLBACK" in problem["message"] for problem in source.ledger.problems())


def test_a_dump_that_breaks_off(read_one):
    source = read_one(
        "CREATE TABLE chat_history(session_id, role, message);\n"
        "INSERT INTO chat_history VALUES('s','user','a');\n"
        "INSERT INTO chat_history VALUES('s','user','unfinis"
    )
    assert len(source.content.sessions["s"].messages) == 1
    (left,) = [left for left in source.ledger.skipped_records() if left["what"] == "sql_statements"]
    assert left["places"][0].endswith(":3")


def test_a_row_that_breaks_a_rule_is_left_by_itself(read_one):
    source = read_one(
        "CREATE TABLE chat_history(id INTEGER, session_id TEXT, role TEXT CHECK(role IN ('user','bot')),"
        " message TEXT, ts);\n"
        "INSERT INTO chat_history VALUES(1,'s','user','a','2025-01-01'),(1,'s','bot','b','nonsense'),"
        "(2,'s','admin','c',NULL),(3,NULL,'user','d',NULL),(4,'s','user','',NULL),(5,'s','user',X'c3a9',1735689600);"
    )
    messages = source.content.sessions["s"].messages
    assert [(row.key, row.values["text"], row.values["at"] is None) for row in messages] == [
        ("1", "a", False), ("1/2", "b", True), ("5", "é", False),
    ]  # fmt: skip
    source.ledger.count_imported("chat_history", 3)
    source.ledger.check()


@pytest.mark.parametrize("text", ["role", "message", "session_id"])
def test_a_table_without_a_needed_column_is_left(read_one, text):
    columns = ", ".join({"role", "message", "session_id"} - {text})
    source = read_one(f"CREATE TABLE chat_history({columns});\nINSERT INTO chat_history VALUES('a','b');")
    source.ledger.check()
    assert source.ledger.skipped("chat_history") == 1


def test_a_damaged_database_is_refused_as_a_whole(read, tmp_path, old_files):
    file = tmp_path / "chat.db"
    connection = sqlite3.connect(file)
    connection.executescript((old_files / "chat_history.sql").read_text().replace("'system'", "'bot'"))
    connection.close()
    raw = bytearray(file.read_bytes())
    raw[4096:] = b"\x5a" * (len(raw) - 4096)
    file.write_bytes(raw)
    (source,) = read(file)
    assert source.content is None
    assert source.ledger.has_errors


def test_the_account_notices_a_lost_record():
    from legacy_import.ledger import Unbalanced

    ledger = Ledger()
    ledger.count_read("messages", 3)
    ledger.count_imported("messages", 1)
    ledger.skip("messages", "row 2", "it is empty")
    with pytest.raises(Unbalanced, match="messages: 3 read, 1 imported, 1 skipped"):
        ledger.check()


@settings(deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 4000), st.integers(0, 4000), st.binary(max_size=8))
def test_no_damage_to_a_file_makes_a_reader_raise(old_files, tmp_path_factory, name, start, length, put):
    """Replace a part of a valid file."""
    raw = (old_files / name).read_bytes()
    file = tmp_path_factory.mktemp("damaged") / "file"
    file.write_bytes(raw[:start] + put + raw[start + length :])
    for source in SourceReader("any").read([file]):
        source.ledger.skip_rest("only read")
        source.ledger.check()


@settings(deadline=None)
@given(st.integers(0, 20000), st.binary(min_size=1, max_size=40))
def test_no_damage_to_a_database_makes_a_reader_raise(sqlite_bytes, tmp_path_factory, start, put):
    file = tmp_path_factory.mktemp("damaged") / "file"
    file.write_bytes(sqlite_bytes[:start] + put + sqlite_bytes[start + len(put) :])
    for source in SourceReader("any").read([file]):
        source.ledger.skip_rest("only read")
        source.ledger.check()
