"""Regression tests: ways of writing files that earlier versions read wrongly or ignored silently."""

import json

import pytest


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('(A := "a")\nX = (B := A + "b") + B', "abab"),
        ('class P:\n    A = "a"\n    B = A + "b"\n    def f(self): return A\nX = P.A + P.B', "aab"),
        ('class P(Enum):\n    A = "a"\nX = P.A', None),
        ('A = "a"\nclass P:\n    A = "b"\nX = A', "a"),
        ('X = {}\nfor n in range(3):\n    if n == 1:\n        continue\n    X[n] = "q"', {0: "q", 2: "q"}),
        ('for n in range(9):\n    if n == 2:\n        break\nelse:\n    n = 100\nX = f"{n}"', "2"),
        ('for n in [1]:\n    pass\nelse:\n    X = "a"', "a"),
        ('from collections import defaultdict\nX = defaultdict(dict)\nX[1]["k"] = "v"', {1: {"k": "v"}}),
        ('A, *B = ["a", "b", "c"]\nX = "".join(B) + A', "bca"),
        ('X = "a".center(5, "*") + "1".zfill(3) + "{b}".format_map({"b": "c"})', "**a**001c"),
        ('X = "a".center(10 ** 9)', None),
        ('X = "a-b".partition("-")[2] + repr("q") + "".join(reversed(["c", "d"]))', "b'q'dc"),
        ('X = "a" if 1 < 2 < 3 else "b"', "a"),
        ('X = {1: "a", E.TWO: "b", **unknown, 3: "c"}', {3: "c"}),
        ('X = {1: "a", E.TWO: "b", 3: "c"}', {1: "a", 3: "c"}),
    ],
)  # fmt: skip
def test_more_ways_to_write_a_constant(constants, source, value):
    assert constants(source).values.get("X") == value


def test_a_shared_module_by_its_name(read, tmp_path):
    (tmp_path / "week_common.py").write_text('COACH = "You are NOVA. "\nMORE = {2: "Two?"}\n')
    (tmp_path / "week1_main.py").write_text(
        "import week_common\nimport week_common as wc\nweek_number = 1\n"
        'QUESTIONS = {1: "One?", **wc.MORE}\n'
        'SYSTEM_PROMPTS = {n: {"scenario_1_respond": week_common.COACH + "Greet."} for n in QUESTIONS}\n'
    )
    (source,) = read(tmp_path)
    questions = source.content.weeks[0]["questions"]
    assert [question["question_text"] for question in questions] == ["One?", "Two?"]
    assert {question["prompts"][0]["prompt_text"] for question in questions} == {"You are NOVA. Greet."}


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        ('if os.environ.get("X"):\n    QUESTIONS.update({2: "b"})', 3, "update: a call of os.environ.get"),
        ("while True:\n    QUESTIONS[n] = 'b'", 3, "while is not followed"),
        ("def more():\n    QUESTIONS[2] = 'b'", 3, "the function more sets it"),
        ("class Week:\n    QUESTIONS = {2: 'b'}", 3, "the class Week sets it"),
        ("QUESTIONS.update(load())", 2, "update with a call of load"),
    ],
)
def test_what_may_change_the_questions_is_counted_with_its_place(week, lines, line, said):
    _, ledger = week(f'QUESTIONS = {{1: "a"}}\n{lines}\n')
    (left,) = [left for left in ledger.skipped_records() if left["what"] == "questions"]
    assert said in left["reason"]
    assert left["places"] == [f"week1_main.py:{line}"]
    assert left["count"] == 1


def test_what_is_set_anew_is_not_left(week):
    found, ledger = week(
        'WEEK1_A = load()\nWEEK1_A = "a"\nQUESTIONS = {1: load()}\nQUESTIONS[1] = "b?"\n'
        'if load():\n    WEEK1_B = "x"\nelse:\n    WEEK1_B = "y"\n'
    )
    assert (found.questions[1].text, found.blocks) == ("b?", {"WEEK1_A": "a"})
    assert [(left["what"], left["count"]) for left in ledger.skipped_records()] == [("blocks", 1)]


def test_a_reason_names_the_first_cause_alone(constants):
    found = constants('T = load()\nfor n in range(200):\n    T += "x"\n')
    assert max(len(left.reason) for left in found.skipped) < 80


def test_python_2_with_form_feeds_and_line_separators(constants):
    found = constants(
        '\x0c\nQUESTIONS = {1: "a \u2028 b"}\n\x0c\ndef f(x):\n'
        '    if x: print "y"\n    raise ValueError, "z"\n'
    )
    assert found.values["QUESTIONS"] == {1: "a \u2028 b"}
    assert found.python_2_lines == [5, 6]


def test_a_null_byte_is_named_by_its_line(read_one):
    source = read_one(b'week_number = 1\nQUESTIONS = {1: "a\x00"}\n')
    assert any("line 2: a null byte" in problem["message"] for problem in source.ledger.problems())


def test_a_key_and_a_week_that_are_none_are_named(week):
    found, ledger = week('week_number = 0\nQUESTIONS = {-5: "a", 1: "b"}\n', "week3.py")
    assert found.number == 3
    assert any("week_number is 0" in problem["message"] for problem in ledger.problems())
    assert "its key -5 is no question number" in [left["reason"] for left in ledger.skipped_records()]


def test_prompts_that_are_missing_keep_nobody_from_the_others(run_import, tmp_path):
    module = tmp_path / "week1_main.py"
    module.write_text(
        'week_number = 1\nQUESTIONS = {1: "One?", 2: "Two?"}\n'
        'SYSTEM_PROMPTS = {1: {"scenario_1_respond": load(), "scenario_2_respond": "Say two."}}\n'
    )
    (report,) = run_import(module)
    assert report["status"] == "applied", report["problems"]
    assert report["taken_over"] == {"modules": 1, "questions": 2, "prompts": 1}
    missing = {
        (todo["question"], todo["prompt"])
        for todo in report["to_write"]
        if "the module has none" in todo["needs"]
    }
    assert missing == {(1, "scenario_1_respond"), (1, "classifier"), (2, "scenario_1_respond")}


def test_times_that_cannot_be_read_are_said(read_one):
    people = {
        f"s{n}": {"current_week": 1, "last_active": at} for n, at in enumerate(["02.03.2025", None, ""])
    }
    progress = read_one(json.dumps(people).replace("null", "NaN"), "progress.json")
    bot = read_one(
        "CREATE TABLE chat_history(session_id, role, message, ts);\n"
        "INSERT INTO chat_history VALUES('s','user','a','yesterday'),('s','user','b',NULL);"
    )
    for source, count in ((progress, 2), (bot, 1)):
        (said,) = [
            found for found in source.ledger.problems() if "no time that can be read" in found["message"]
        ]
        assert said["count"] == count
        assert all(place.count("/") for place in said["places"])


def test_a_leftover_of_progress_names_its_file(read_one):
    source = read_one('{"s": {"current_week": 1, "completed_questions": {"1": [1, 1]}}}', "progress.json")
    (left,) = source.ledger.skipped_records()
    assert left["places"][0].endswith("progress.json: s")


def test_no_word_of_a_broken_dump_is_in_its_report(read_one):
    source = read_one(
        "CREATE TABLE chat_history(session_id, role, message, ts);\n"
        "INSERT INTO chat_history VALUES('s','user',SECRET,NULL);\n"
        "INSERT INTO chat_history(SECRET) VALUES(1);\nSECRET AND SECRET;\nINSERT INTO SECRET VALUES(1);\n"
    )
    assert source.ledger.skipped("sql_statements") == 4
    assert "SECRET" not in json.dumps([source.ledger.skipped_records(), source.ledger.problems()])


def test_a_trigger_of_a_dump_does_nothing(read_one):
    source = read_one(
        "CREATE TABLE chat_history(session_id, role, message, ts);\n"
        "CREATE TRIGGER t AFTER INSERT ON chat_history BEGIN DELETE FROM chat_history; END;\n"
        "INSERT INTO chat_history VALUES('s','user','a',NULL);\n"
    )
    assert len(source.content.sessions["s"].messages) == 1


def test_a_block_with_placeholders_stands_where_it_is_named(run_import, read, tmp_path):
    module = tmp_path / "week1_main.py"
    module.write_text(
        'week_number = 1\nWEEK1_A = "Dear {name}, watch it."\nWEEK1_B = "Bye {name}."\nWEEK1_C = "Plain."\n'
        'QUESTIONS = {1: "One?"}\nSYSTEM_PROMPTS = {1: {"scenario_1_respond": "Say: {WEEK1_A} {WEEK1_C}"}}\n'
    )
    (source,) = read(module)
    (question,) = source.content.weeks[0]["questions"]
    assert question["prompts"][0]["prompt_text"] == "Say: Dear {name}, watch it. {WEEK1_C}"
    (report,) = run_import(module)
    assert report["status"] == "applied", report["problems"]
    assert (report["counts_in"]["blocks"], report["taken_over"]["blocks"]) == (3, 2)
    assert "WEEK1_B" in report["left"][0]["reason"]
