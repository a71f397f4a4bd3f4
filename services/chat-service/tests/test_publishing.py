"""A programme that could lose its way is refused when it is published, with the place of the fault."""

from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from chat_service.programs.catalog import Catalog
from chat_service.programs.loader import parse, publish
from chat_service.programs.publishing import VersionTaken
from chat_service.programs.validation import InvalidProgramme
from chat_service.tables import ProgramVersion


@pytest.fixture
def driven(settings) -> str:
    return Path(settings.content_dir / "programs" / "driven.yaml").read_text(encoding="utf-8")


@pytest.fixture
def changed(driven):
    """The bundled programme with one change; returns the problems found in it."""

    def problems(change) -> list[str]:
        content = yaml.safe_load(driven)
        change(content)
        with pytest.raises(InvalidProgramme) as caught:
            parse(yaml.safe_dump(content, allow_unicode=True), "driven.yaml")
        assert str(caught.value).startswith("driven.yaml: ")
        return caught.value.problems

    return problems


def question(content: dict, number: int) -> dict:
    return content["weeks"][0]["questions"][number - 1]


def prompt(content: dict, number: int, prompt_type: str) -> dict:
    return next(one for one in question(content, number)["prompts"] if one["prompt_type"] == prompt_type)


def drop(content: dict, number: int, prompt_type: str) -> None:
    question(content, number)["prompts"].remove(prompt(content, number, prompt_type))


def test_the_bundled_programme_is_sound(driven):
    programme = parse(driven, "driven.yaml")
    questions = programme.weeks[0].questions
    assert len(questions) == 5
    assert sum("{Answer to question 1}" in one.question_text for one in questions) >= 1
    assert sum("{Answer to question" in one.question_text for one in questions) >= 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda c: question(c, 2).update(question_text="{Answer to question 2}"),
            "week 1, question 2: {Answer to question 2} is not answered yet at this place",
        ),
        (
            lambda c: prompt(c, 1, "scenario_1_respond").update(response_text="{nmae}"),
            "week 1, question 1: prompt scenario_1_respond: {nmae} is neither a name, an answer nor",
        ),
        (
            lambda c: prompt(c, 3, "validation")["conditions"]["items"][0].update(ask="{WEEK9}"),
            "week 1, question 3: prompt validation: {WEEK9} is neither a name, an answer nor a content block",
        ),
        (
            lambda c: question(c, 1).update(question_text="Hello {name"),
            "week 1, question 1: a brace without its partner",
        ),
        (
            lambda c: c["weeks"][0]["content_blocks"][0].update(content_text="{name}"),
            "week 1, content block WEEK1_VIDEOS: braces",
        ),
        (
            lambda c: question(c, 3).update(question_number=4),
            "week 1, question numbers are 1, 2, 4, 4, 5; they must count from 1 without a gap",
        ),
        (lambda c: c["weeks"][0].update(week_number=2), "week numbers are 2"),
        (lambda c: drop(c, 1, "classifier"), "week 1, question 1: the prompt classifier is missing"),
        (lambda c: drop(c, 2, "followup"), "week 1, question 2: requires_followup is True"),
        (lambda c: drop(c, 2, "followup_respond"), "week 1, question 2: requires_followup is True"),
        (lambda c: drop(c, 3, "scenario_2_respond"), "week 1, question 3: scenario numbers are 1, 3, 4"),
        (
            lambda c: prompt(c, 1, "scenario_1_respond").pop("conditions"),
            "week 1, question 1: prompt scenario_1_respond: without conditions, the scenarios after it",
        ),
        (
            lambda c: prompt(c, 1, "scenario_1_respond").update(conditions={}),
            "week 1, question 1: prompt scenario_1_respond: without conditions, the scenarios after it",
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
            lambda c: question(c, 1)["prompts"].append(prompt(c, 1, "validation")),
            "week 1, question 1: prompt validation occurs 2 times",
        ),
        (lambda c: question(c, 1).update(question_type="essay"), "week 1, question 1: question_type: "),
        (lambda c: question(c, 1).update(extra=1), "week 1, question 1: extra: there is no such key"),
        (lambda c: c["weeks"].clear(), "weeks: is empty"),
    ],
)
def test_faults_are_named_with_their_place(changed, change, problem):
    assert any(found.startswith(problem) for found in changed(change)), changed(change)


def test_what_is_no_yaml_is_refused():
    with pytest.raises(InvalidProgramme):
        parse("weeks: [", "broken.yaml")


def test_a_key_given_twice_is_refused(driven):
    with pytest.raises(InvalidProgramme, match="title"):
        parse(f"{driven}\ntitle: Another\n", "driven.yaml")


def test_publishing_twice_changes_nothing(database, driven):
    with database.transaction() as session:
        before = session.scalars(select(ProgramVersion.version_id)).all()
        publish(session, driven, "driven.yaml")
        assert session.scalars(select(ProgramVersion.version_id)).all() == before


def test_changed_content_needs_a_new_version(database, driven):
    edited = driven.replace("title: DRIVEN", "title: DRIVEN!")
    with database.transaction() as session:
        with pytest.raises(VersionTaken, match="raise `version`"):
            publish(session, edited, "driven.yaml")
        publish(session, edited.replace("version: 1", "version: 2"), "driven.yaml")
        assert len(session.scalars(select(ProgramVersion)).all()) == 2


def test_a_session_stays_on_the_version_it_began(client, as_maja, database, driven):
    session_id = client.post("/api/programs/driven/start", headers=as_maja).json()["id"]
    edited = driven.replace("title: DRIVEN", "title: DRIVEN II").replace("version: 1", "version: 2")
    with database.transaction() as session:
        publish(session, edited, "driven.yaml")
    assert client.get("/api/programs", headers=as_maja).json()["items"][0]["version"] == 2
    resumed = client.get(f"/api/programs/sessions/{session_id}", headers=as_maja).json()
    assert (resumed["program_version"], resumed["title"]) == (1, "DRIVEN")


def test_the_tables_give_back_what_was_published(database, driven):
    with database.transaction() as session:
        version_id = session.scalars(select(ProgramVersion.version_id)).one()
    programme = Catalog(database).get(version_id)
    assert comparable(programme.model_dump()) == comparable(parse(driven, "driven.yaml").model_dump())


def comparable(part):
    """Without ids, which every parsing makes anew, and without the order of prompts."""
    if isinstance(part, dict):
        return {key: comparable(value) for key, value in part.items() if not key.endswith("_id")}
    if isinstance(part, list):
        return sorted((comparable(one) for one in part), key=str)
    return part
