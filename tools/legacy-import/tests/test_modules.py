"""Week modules are parsed and never run, whatever they contain."""

import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat_service.programs.content.loader import parse
from legacy_import.ledger import Ledger
from legacy_import.sources import SourceReader
from legacy_import.week_modules.reader import Unreadable, read_constants
from legacy_import.week_modules.week import WeekReader


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('X = "a" + "b" "c"', "abc"),
        ('A = "a"\nX = f"{A}{{name}} {A!r} {3:>3}"', "a{name} 'a'   3"),
        ('X = "%s and %(b)s" % {"b": 1}', "{'b': 1} and 1"),
        ('X = "%s, %d%%" % ("a", 5)', "a, 5%"),
        ('X = "{} {1} {name}".format("a", "b", name="{name}")', None),
        ('X = "{0} {1} {name}".format("a", "b", name="{name}")', "a b {name}"),
        ('X = " | ".join(["a", *("b", "c")])', "a | b | c"),
        ('from textwrap import dedent as d\nX = d("""\n  a\n   b\n""").strip()', "a\n b"),
        ('import textwrap\nX = textwrap.dedent("  a").upper()', "A"),
        ('X, Y = "a", open("f").read()', "a"),
        ('A = B = X = "a"\nX += "b"', "ab"),
        ('X: str = "a"', "a"),
        ('X = "first"\nX = "second"', "second"),
        ('X = "a"\nX = load()', None),
        ('X = {"a": 1} | {"b": 2}', {"a": 1, "b": 2}),
        ('X = {**{"a": 1}, "b": 2}', {"a": 1, "b": 2}),
        ('X = dict(a="x", b=open("f"))', {"a": "x"}),
        ('X = {n: f"q{n}" for n in range(1, 4) if n != 2}', {1: "q1", 3: "q3"}),
        ('X = {}\nfor n, t in enumerate(["a", "b"], 1):\n    X[n] = t', {1: "a", 2: "b"}),
        ('X = {1: {}}\nX[1]["k"] = "v"\nY = X[1]\nY["l"] = "w"', {1: {"k": "v", "l": "w"}}),
        ('X = {}\nX.setdefault(5, {})["k"] = "v"\nX.update(six="s")', {5: {"k": "v"}, "six": "s"}),
        ('X = {1: "a", 2: "b"}\ndel X[1]', {2: "b"}),
        ('X = {1: "a"}\nX[1] = load()', {}),
        ('if DEBUG:\n    X = "a"\nelse:\n    X = "b"', None),
        ('if 1 < 2:\n    X = "a"\nelse:\n    X = "b"', "a"),
        ('try:\n    import a\n    X = "a"\nexcept ImportError:\n    X = "b"', "a"),
        ('X = "a" if "b" in ["b"] else "c"', "a"),
        ('def dedent(x): return x\nX = dedent("a")', None),
        ('X = "a" * 3', "aaa"),
        ('X = ["a", "b"][1][0:1]', "b"),
        ('A, B = "a", "b"\nA, B = B, A\nX = A', "b"),
    ],
)
def test_constants(constants, source, value):
    assert constants(source).values.get("X") == value


@pytest.mark.parametrize(
    "source",
    [
        'X = __import__("os").system("true")',
        'X = eval("1")',
        'X = "{0.__class__}".format("a")',
        'X = f"{().__class__}"',
        'X = (lambda: "a")()',
        'X = "a" * 10 ** 10',
        'X = "%1000000000d" % 1',
        'X = "{:1000000000}".format(1)',
        'X = f"{1:1000000000}"',
        "X = str.__class__",
        "X = open",
        "X = [x for x in iter(int, 1)]",
        'import os\nX = os.environ["HOME"]',
        'X = sorted(["b", "a"], key=print)',
        "X = b'bytes'",
        "X = yield_()",
        "X = {[]: 1}",
        "X = -{}",
    ],
)
def test_what_is_no_constant_is_named_with_its_line(constants, source):
    found = constants(source)
    assert "X" not in found.values
    (left,) = [left for left in found.skipped if left.name == "X"]
    assert left.line == source.count("\n") + 1
    assert left.reason


def test_little_source_may_not_stand_for_much_text(constants):
    doubling = 'A0 = "x" * 1000\n' + "\n".join(f"A{n + 1} = A{n} + A{n}" for n in range(60))
    growing = "L = [1]\n" + "L.extend(L)\n" * 60
    endless = "L = [1]\nX = [L.append(n) for n in L]\n"
    for source in (doubling, growing, endless):
        found = constants(source)
        assert found.skipped
        assert sum(len(value) for value in found.values.values() if isinstance(value, str)) < 40_000_000


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("QUESTIONS = {1: 'a'", "line 1"),
        ("QUESTIONS = {\n  1: 'a',\n  2: }\n", "line 3"),
        ("x = 1\x00", "null"),
        ("(" * 100_000, "nested"),
        ("X = " + "-" * 100_000 + "1", "nested too deeply"),
        ("X = " + "+".join(["'a'"] * 100_000), "nested too deeply"),
        ("X = 'a'\n" * 2_000_000, "characters"),
        ("\tif x:\n  y\n", "line 1"),
    ],
)
def test_broken_files_are_refused_with_a_reason(constants, source, said):
    with pytest.raises(Unreadable, match=said):
        constants(source)


def test_statements_of_python_2_are_passed_over(constants):
    source = """QUESTIONS = {1: "a"}
def f():
    print "hello"
    try:
        pass
    except ValueError, e:
        print >>f, e
"""
    found = constants(source)
    assert found.values["QUESTIONS"] == {1: "a"}
    assert sorted(found.python_2_lines) == [3, 6]


def test_nothing_is_executed(constants, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "loud.py").write_text("raise SystemExit('imported')")
    trap = "__import__('pathlib').Path('executed').write_text('x')"
    source = f"""
import loud
from loud import *
X = {trap}
Y = f"{{{trap}}}"
Z = {{"a": {trap}, **{{"b": {trap}}}}}
{trap}
class A:
    x = {trap}
    def __init_subclass__(cls): {trap}
class B(A, metaclass={trap}): pass
@({trap})
def f(a={trap}) -> {trap}: ...
V: {trap} = "v"
for n in [1]:
    {trap}
if {trap}: pass
assert {trap}
[{trap} for _ in "ab"]
"{{0}}".format({trap})
"""
    found = constants(source)
    assert not (tmp_path / "executed").exists()
    assert "loud" not in sys.modules
    assert found.values["V"] == "v"
    assert found.values["Z"] == {}


PIECES = st.sampled_from(
    [
        "QUESTIONS", "SYSTEM_PROMPTS", "WEEK4_A", "X", "1", "'a'", '"{X}"', "f'{X}'", "f'{X!r:>5}'",
        "=", "+=", "|=", "[", "]", "{", "}", "(", ")", ":", ",", ".", "+", "%", "|", "*", "**",
        "\n", "\n    ", "if ", "for ", " in ", "else:", "try:", "except:", "with ", "lambda: ", "def f():",
        "class C:", "import os", "from a import *", ".format", ".join", ".update", ".setdefault", ".append",
        ".extend", ".pop", "dict", "range", "open('executed', 'w')", "__import__('os')",
        "exec('raise SystemExit')", "del ", "print 'x'", " ", "#", "\\", "\x00", "é", "\ud800", '"""',
    ]
)  # fmt: skip


@settings(deadline=None)
@given(
    st.one_of(
        st.text(), st.lists(PIECES, max_size=60).map("".join), st.lists(PIECES, max_size=40).map(" ".join)
    )
)
@example("X = '\\ud800'")
@example("X = [X := 1]")
@example("\ud800 = 1")
def test_no_text_makes_the_reader_raise_or_act(source):
    before = set(Path.cwd().iterdir())
    ledger = Ledger()
    try:
        WeekReader("week4_main.py", read_constants(source), ledger).read()
    except Unreadable:
        return
    ledger.check()
    assert set(Path.cwd().iterdir()) == before


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_a_source_raise(tmp_path_factory, raw):
    file = tmp_path_factory.mktemp("bytes") / "file"
    file.write_bytes(b"QUESTIONS = {1: 'a'}\n" + raw)
    (source,) = SourceReader("any").read([file])
    source.ledger.check()


def test_a_module_and_its_program(week, old_files):
    found, ledger = week((old_files / "week2_main.py").read_text(), "week2_main.py")
    assert (found.number, found.title, found.max_iterations) == (2, "Habits", 2)
    assert (
        found.blocks["WEEK2_ALL"]
        == "Video: a cue, a routine, a reward.\nExercise: keep a list of cues for 3 days."
    )
    assert found.blocks["WEEK2_NOTE"] == "A slip is no fall. Begin again the next day."
    assert found.questions[1].prompts["scenario_2_respond"].endswith("Be encouraging about {name}.")
    assert found.questions[1].prompts["followup"] == "Since when?"
    ledger.check()
    assert not Path("/tmp/cogniflow-legacy-was-executed").exists()


@pytest.mark.parametrize(
    ("name", "source", "number", "said"),
    [
        ("week3_main.py", 'QUESTIONS = {1: "a"}', 3, "file's name"),
        ("main.py", 'WEEK5_A = "b"\nQUESTIONS = {1: "a"}', 5, "WEEKn_ constants"),
        ("week3_main.py", 'week_number = 4\nQUESTIONS = {1: "a"}', 4, "the file's name says 3"),
    ],
)
def test_the_number_of_a_week(week, name, source, number, said):
    found, ledger = week(source, name)
    assert found.number == number
    assert any(said in problem["message"] for problem in ledger.problems())


def test_a_week_without_a_number_is_refused(week):
    found, ledger = week('QUESTIONS = {1: "a"}', "main.py")
    assert found is None
    assert ledger.has_errors


def test_two_modules_for_one_week_and_a_broken_one(read, tmp_path):
    good = 'week_number = 1\nQUESTIONS = {1: "a?"}\nSYSTEM_PROMPTS = {1: {"scenario_1_respond": "b"}}\n'
    for name, source in {"a.py": good, "b.py": good, "c.py": "QUESTIONS = {"}.items():
        (tmp_path / name).write_text(source)
    (source,) = read(tmp_path)
    account = source.ledger.as_json()
    assert account["counts_in"] == {"modules": 3, "questions": 2, "prompts": 2}
    assert account["taken_over"] == {"modules": 1, "questions": 1, "prompts": 1}
    assert any("two modules for week 1" in problem["message"] for problem in account["problems"])
    assert source.content is not None
    assert len(source.content.weeks) == 1


def test_constants_shared_by_modules(read, tmp_path):
    (tmp_path / "shared.py").write_text('COACH = "You are NOVA. "\n')
    (tmp_path / "week1_main.py").write_text(
        'from shared import COACH\nQUESTIONS = {1: "a?"}\n'
        'SYSTEM_PROMPTS = {1: {"scenario_1_respond": COACH + "Greet."}}\n'
    )
    (source,) = read(tmp_path)
    program = parse(source.content.yaml(), "test")
    assert program.weeks[0].questions[0].prompts[0].prompt_text == "You are NOVA. Greet."


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16", "cp1252"])
def test_encodings(read_one, encoding):
    cookie = "# -*- coding: cp1252 -*-\n" if encoding == "cp1252" else ""
    dash = "–" if encoding == "cp1252" else "-"
    source = (
        f'{cookie}week_number = 1\nQUESTIONS = {{1: "Café {dash} où?"}}\n'
        'SYSTEM_PROMPTS = {1: {"scenario_1_respond": "b"}}\n'
    )
    found = read_one(source.encode(encoding))
    assert found.content.weeks[0]["questions"][0]["question_text"] == f"Café {dash} où?"


def test_the_written_program_is_one_of_ours(read, old_files):
    (source,) = read(old_files / "week2_main.py")
    program = parse(source.content.yaml(), "test")
    (week,) = program.weeks
    assert week.name == "Week 2"
    assert week.questions[0].prompt("followup").response_text == "Since when?"
    assert week.questions[0].prompt("scenario_1_respond").examples == ["one habit they do"]
    needs = {(todo.question, todo.prompt) for todo in source.content.todos}
    assert {(1, "scenario_1_respond"), (1, "followup_respond"), (2, "validation")} <= needs
