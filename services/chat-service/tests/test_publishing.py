"""A program that could lose its way is refused when it is published, with the place of the fault."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select, text

from chat_service import tables
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.content.loader import parse, publish
from chat_service.programs.content.publishing import VersionTaken
from chat_service.programs.content.validation import InvalidProgram

PRACTICE = Path(__file__).parent / "data" / "programs" / "practice.yaml"


@pytest.fixture
def practice() -> str:
    return PRACTICE.read_text(encoding="utf-8")


@pytest.fixture
def changed(practice):
    """The program for tests with one change; returns the problems found in it."""

    def problems(change) -> list[str]:
        content = yaml.safe_load(practice)
        change(content)
        with pytest.raises(InvalidProgram) as caught:
            parse(yaml.safe_dump(content, allow_unicode=True), "practice.yaml")
        assert str(caught.value).startswith("practice.yaml: ")
        return [str(message) for message in caught.value.messages]

    return problems


def versions(session) -> list:
    """The published versions of it."""
    return session.scalars(
        select(tables.ProgramVersion.version_id).join(tables.Program).where(tables.Program.slug == "practice")
    ).all()


def week(content: dict, number: int) -> dict:
    return content["weeks"][number - 1]


def question(content: dict, number: int) -> dict:
    return content["weeks"][0]["questions"][number - 1]


def prompt(content: dict, number: int, prompt_type: str) -> dict:
    return next(one for one in question(content, number)["prompts"] if one["prompt_type"] == prompt_type)


def drop(content: dict, number: int, prompt_type: str) -> None:
    question(content, number)["prompts"].remove(prompt(content, number, prompt_type))


def test_every_bundled_program_is_sound(settings):
    for path in (settings.content_dir / "programs").glob("*.yaml"):
        assert parse(path.read_text(encoding="utf-8"), path.name).weeks


UNKNOWN = "is neither a name, an answer, a content block nor kept by an earlier question"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda c: question(c, 2).update(question_text="{Answer to question 2}"),
            "week 1, question 2: {Answer to question 2} is not answered yet at this place",
        ),
        (
            lambda c: question(c, 4).update(question_text="{Answer to question 3}"),
            "week 1, question 4: {Answer to question 3} is not answered yet at this place, or not",
        ),
        (
            lambda c: prompt(c, 1, "scenario_1_respond").update(response_text="{nmae}"),
            f"week 1, question 1: prompt scenario_1_respond: {{nmae}} {UNKNOWN}",
        ),
        (
            lambda c: prompt(c, 1, "validation")["conditions"]["items"][0].update(ask="{WEEK9}"),
            f"week 1, question 1: prompt validation: {{WEEK9}} {UNKNOWN}",
        ),
        (
            lambda c: question(c, 1).update(question_text="{selected_problem}"),
            f"week 1, question 1: {{selected_problem}} {UNKNOWN}",
        ),
        (
            lambda c: question(c, 2).update(skippable=True),
            f"week 2, question 1: {{selected_problem}} {UNKNOWN}",
        ),
        (
            lambda c: prompt(c, 1, "clarify_respond").update(response_text="{Answer to question 1}"),
            "week 1, question 1: prompt clarify_respond: {Answer to question 1} is not answered yet",
        ),
        (
            lambda c: question(c, 1).update(question_text="Hello {name"),
            "week 1, question 1: a brace without its partner",
        ),
        (
            lambda c: c["weeks"][0]["content_blocks"][0].update(content_text="{name}"),
            "week 1: content block WEEK1_TIP: braces",
        ),
        (
            lambda c: question(c, 3).update(question_number=4),
            "week 1: question numbers are 1, 2, 4, 4; they must count from 1 without a gap",
        ),
        (lambda c: c["weeks"][0].update(week_number=2), "week numbers are 2, 2, 3, 4"),
        (lambda c: week(c, 1).update(is_active=False), "week 1: the first week must be active"),
        (lambda c: drop(c, 1, "classifier"), "week 1, question 1: the prompt classifier is missing"),
        (lambda c: drop(c, 4, "followup"), "week 1, question 4: requires_followup is True"),
        (lambda c: drop(c, 4, "followup_respond"), "week 1, question 4: requires_followup is True"),
        (lambda c: drop(c, 1, "scenario_2_respond"), "week 1, question 1: scenario numbers are 1, 3"),
        (
            lambda c: drop(c, 3, "scenario_1_respond"),
            "week 1, question 3: the prompt scenario_1_respond is missing",
        ),
        (
            lambda c: prompt(c, 1, "scenario_1_respond").pop("conditions"),
            "week 1, question 1: prompt scenario_1_respond: without conditions, the scenarios after it",
        ),
        (
            lambda c: prompt(c, 1, "scenario_2_respond").update(conditions={}),
            "week 1, question 1: prompt scenario_2_respond: without conditions, the scenarios after it",
        ),
        (
            lambda c: prompt(c, 1, "scenario_3_respond").update(conditions={"min_words": 3}),
            "week 1, question 1: the last scenario has conditions",
        ),
        (
            lambda c: prompt(c, 1, "scenario_3_respond").pop("response_text"),
            "week 1, question 1: prompt scenario_3_respond: the response_text is missing",
        ),
        (
            lambda c: prompt(c, 1, "validation").update(conditions={"min_words": 3}),
            "week 1, question 1: prompt validation: the conditions must list items",
        ),
        (
            lambda c: question(c, 1)["prompts"].append(deepcopy(prompt(c, 1, "validation"))),
            "week 1, question 1: prompt validation occurs 2 times",
        ),
        (
            lambda c: prompt(c, 2, "scenario_1_respond").update(next_question=1),
            "week 1, question 2: prompt scenario_1_respond: next_question 1 leads back, which makes a loop",
        ),
        (
            lambda c: prompt(c, 2, "scenario_1_respond").update(next_question=9),
            "week 1, question 2: prompt scenario_1_respond: there is no question 9; the last one is 4",
        ),
        (
            lambda c: prompt(c, 2, "scenario_2_respond").update(next_question=4),
            "week 1, question 3: no way leads to it",
        ),
        (
            lambda c: question(c, 2).update(choices=["Work"]),
            "week 1, question 2: multiple_choice needs at least two choices",
        ),
        (lambda c: question(c, 3).update(skippable=False), "week 1, question 3: prompt skip_respond"),
        (lambda c: question(c, 1).update(question_type="essay"), "week 1, question 1: question_type: "),
        (lambda c: question(c, 1).update(max_iterations=4), "week 1, question 1: max_iterations: "),
        (lambda c: question(c, 1).update(extra=1), "week 1, question 1: extra: there is no such key"),
        (lambda c: c["weeks"].clear(), "weeks: is empty"),
    ],
)
def test_faults_are_named_with_their_place(changed, change, problem):
    found = changed(change)
    assert any(one.startswith(problem) for one in found), found


def test_what_is_no_yaml_is_refused():
    with pytest.raises(InvalidProgram):
        parse("weeks: [", "broken.yaml")


def test_a_key_given_twice_is_refused(practice):
    with pytest.raises(InvalidProgram, match="title"):
        parse(f"{practice}\ntitle: Another\n", "practice.yaml")


def test_publishing_twice_changes_nothing(database, practice):
    with database.transaction() as session:
        before = versions(session)
        publish(session, practice, "practice.yaml")
        assert versions(session) == before
        publish(session, f"# a comment\n{practice}", "practice.yaml")
        assert versions(session) == before, "a comment is no change"


def test_changed_content_needs_a_new_version(database, practice):
    edited = practice.replace("title: Practice", "title: Practice!")
    with database.transaction() as session:
        with pytest.raises(VersionTaken, match="raise `version`"):
            publish(session, edited, "practice.yaml")
        publish(session, edited.replace("version: 1", "version: 2"), "practice.yaml")
        assert len(versions(session)) == 2


def test_a_session_stays_on_the_version_it_began(client, as_maja, as_stranger, database, practice):
    start = "/api/programs/practice/start"
    session_id = client.post(start, headers=as_maja).json()["id"]
    edited = practice.replace("title: Practice", "title: Practice II").replace("version: 1", "version: 2")
    with database.transaction() as session:
        publish(session, edited, "practice.yaml")
    listed = client.get("/api/programs", headers=as_maja).json()["items"]
    assert {one["slug"]: one["version"] for one in listed}["practice"] == 2
    resumed = client.get(f"/api/programs/sessions/{session_id}", headers=as_maja).json()
    assert (resumed["program_version"], resumed["title"]) == (1, "Practice")
    said = {"text": "I thought of it at home all day.", "client_message_id": "one"}
    client.post(f"/api/programs/sessions/{session_id}/answer", json=said, headers=as_maja)
    assert client.post(start, headers=as_maja).json()["program_version"] == 1
    begun = client.post(start, headers=as_stranger).json()
    assert (begun["program_version"], begun["title"]) == (2, "Practice II")
    with database.transaction() as session:
        used = text(
            "SELECT DISTINCT version FROM nova_responses JOIN system_prompts ON prompt_id = prompt_used_id"
            " JOIN questions ON questions.question_id = system_prompts.question_id"
            " JOIN weeks USING (week_id) JOIN program_versions USING (version_id)"
        )
        assert list(session.scalars(used)) == [1]


def test_the_tables_give_back_what_was_published(database, practice):
    with database.transaction() as session:
        (version_id,) = versions(session)
    program = Catalog(database).get(version_id)
    assert comparable(program.model_dump()) == comparable(parse(practice, "practice.yaml").model_dump())


def comparable(part):
    """Without ids, which every parsing makes anew, and without the order of prompts."""
    if isinstance(part, dict):
        return {key: comparable(value) for key, value in part.items() if not key.endswith("_id")}
    if isinstance(part, list):
        return sorted((comparable(one) for one in part), key=str)
    return part
