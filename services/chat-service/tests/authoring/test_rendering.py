"""An exported program is one that its authors could have written, and says the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_service.programs.content.loader import parse
from chat_service.programs.content.model import Program
from chat_service.programs.content.rendering import authored, render
from chat_service.programs.content.yaml_source import load
from cogniflow_dev.paths import repository_root

BUNDLED = sorted((repository_root() / "content" / "programs").glob("*.yaml"))

letters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
awkward = st.sampled_from(
    [
        *("yes", "null", "~", "1", "1e3", "2020-01-01", "=", "<<", "- a", "a: b", "# x", "'", '"', "|", ">-"),
        *(" lead", "trail ", "two\nlines", "end\n", "\n", "a\n\nb", "\ttab", "x" * 300, "word " * 40 + "end"),
        *(
            "\x85",
            "\u2028",
            "- question_number: 3",
            "double  spaces " * 10 + "x",
            "\ufeffbom",
            "🙂 " * 50 + ".",
        ),
    ]
)
texts = st.one_of(awkward, st.text(letters, min_size=1, max_size=200))
words = st.lists(texts, max_size=4)

rules = st.fixed_dictionaries(
    {},
    optional={
        "any_of": words,
        "none_of": words,
        "min_words": st.integers(1, 99),
        "has_number": st.booleans(),
    },
)
checklists = st.fixed_dictionaries(
    {
        "items": st.lists(
            st.fixed_dictionaries({"name": texts, "ask": texts, "rule": rules}), min_size=1, max_size=2
        )
    }
)
prompts = st.fixed_dictionaries(
    {
        "prompt_type": st.sampled_from(
            ["classifier", "scenario_1_respond", "scenario_10_respond", "validation"]
        ),
        "prompt_text": texts,
    },
    optional={
        "response_text": texts,
        "conditions": st.one_of(st.none(), rules, checklists),
        "examples": words,
        "next_question": st.integers(1, 50),
    },
)
questions = st.fixed_dictionaries(
    {
        "question_number": st.integers(1, 50),
        "question_text": texts,
        "prompts": st.lists(prompts, min_size=1, max_size=3, unique_by=lambda one: one["prompt_type"]),
    },
    optional={"requires_followup": st.booleans(), "step": st.none() | st.just("goals"), "choices": words},
)
blocks = st.fixed_dictionaries({"block_name": st.sampled_from(["A", "B_2"]), "content_text": texts})
weeks = st.fixed_dictionaries(
    {
        "week_number": st.integers(1, 50),
        **dict.fromkeys(("name", "title", "description"), texts),
        "questions": st.lists(questions, min_size=1, max_size=2),
    },
    optional={
        "is_active": st.booleans(),
        "video_content": texts,
        "content_blocks": st.lists(blocks, max_size=2, unique_by=lambda one: one["block_name"]),
    },
)
programs = st.fixed_dictionaries(
    {
        "slug": st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True),
        "version": st.integers(1, 2**31 - 1),
        "title": texts,
        "description": texts,
        "weeks": st.lists(weeks, min_size=1, max_size=2),
    },
    optional={"anonymous": st.booleans(), "retention": st.just({"sessions_days": 7})},
).map(Program.model_validate)


@given(programs)
def test_what_is_exported_reads_as_the_same_program(program):
    assert authored(Program.model_validate(load(render(program)))) == authored(program)


@given(programs)
def test_exporting_what_was_exported_changes_nothing(program):
    text = render(program)
    assert render(Program.model_validate(load(text))) == text


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_a_bundled_program_survives_its_export(path: Path):
    program = parse(path.read_text(encoding="utf-8"), path.name)
    text = render(program)
    assert authored(parse(text, "exported.yaml")) == authored(program)
    assert max(map(len, text.splitlines())) <= 120
    assert '\\"' not in text
