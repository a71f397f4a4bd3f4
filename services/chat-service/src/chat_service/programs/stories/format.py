"""The YAML form of stories; `content/stories/README.md` explains every key.

Stories that could never fail are refused: no turns, no expectation, a misspelled key.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from chat_service.message_fields import MessageText
from chat_service.programs.content.yaml_source import load

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Pieces = Annotated[list[Text], Field(min_length=1)]

_MESSAGES = {
    "bool_type": "must be true or false",
    "dict_type": "must be keys with values",
    "extra_forbidden": "there is no such key",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_type": "must be keys with values",
    "string_too_short": "is empty",
    "string_type": "must be text; put it in quotes",
    "too_short": "is empty",
}


class InvalidStories(ValueError):
    """Lists every problem with its file, story and turn."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ExpectedQuestion(_Part):
    """The expected next question; fields that are not given are not compared."""

    week: int | None = None
    question: int | None = None
    step: str | None = None


class Expectation(_Part):
    """The expected result of a message. Fields that are not given are not compared; null is a value."""

    intent: Literal["answer", "skip", "clarify", "pause"] = "answer"
    risk: Literal["concern", "high", "imminent"] | None = None
    risk_about: Literal["self", "other"] | None = None
    resources: bool = False
    missing: list[Text] = []
    iteration: int = 1
    scenario: Annotated[str, Field(pattern=r"^(SCENARIO_[1-9]\d*|SKIPPED)$")] | None = None
    method: Literal["rule_based", "hybrid"] = "rule_based"
    skipped: bool = False
    completed: bool = False
    kept: Annotated[dict[str, Text], Field(min_length=1)] = {}
    says: Pieces = []
    does_not_say: Pieces = []
    next: ExpectedQuestion | None = None
    asks: Pieces = []
    week_completed: bool = False
    session_completed: bool = False

    @property
    def given(self) -> dict[str, Any]:
        """Expected values by key, in the order of this class."""
        return {key: getattr(self, key) for key in type(self).model_fields if key in self.model_fields_set}

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("nothing is expected, so that it could never fail")
        if self.next is not None and not self.next.model_fields_set:
            raise ValueError("next: give a week, a question or a step")
        return self


class StoryTurn(_Part):
    say: MessageText
    expect: Expectation


class Given(_Part):
    """Answers and choices from before the story begins."""

    answers: dict[Annotated[int, Field(ge=1)], MessageText] = {}
    choices: dict[str, MessageText] = {}


class Story(_Part):
    name: Text
    week: int = Field(default=1, ge=1)
    question: int = Field(default=1, ge=1)
    name_of_learner: Text = "Maja"
    locale: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] | None = None
    given: Given = Given()
    opens_with: Pieces = []
    turns: list[StoryTurn] = Field(min_length=1)

    @model_validator(mode="after")
    def _given_before(self) -> Self:
        late = [number for number in self.given.answers if number >= self.question]
        if late:
            raise ValueError(f"given.answers: the story begins at question {self.question}, before {late[0]}")
        return self


class StoryFile(_Part):
    program: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] | None = None
    file: Text | None = None
    stories: list[Story] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_program(self) -> Self:
        if (self.program is None) == (self.file is None):
            raise ValueError("name the program, by `program` or by `file`")
        names = [story.name for story in self.stories]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'two stories are called "{name}"')
        return self

    def program_path(self, own: Path, programs_folder: Path) -> Path:
        """Return the path of the program. `own`: the path of this story file."""
        if self.file is not None:
            return own.parent / self.file
        return programs_folder / f"{self.program}.yaml"


def read_stories(path: Path) -> StoryFile:
    """Raises: InvalidStories"""
    content: Any = None
    try:
        content = load(path.read_text(encoding="utf-8"))
        return StoryFile.model_validate(content)
    except FileNotFoundError as error:
        raise InvalidStories([f"{path.name}: there is no such file"]) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidStories([f"{path.name}: {error}"]) from error
    except ValidationError as error:
        raise InvalidStories(list(_problems(path, content, error))) from error


def _problems(path: Path, content: Any, error: ValidationError) -> Iterator[str]:
    for found in error.errors():
        location, keys = _location(content, list(found["loc"]))
        subject = f"{'.'.join(map(str, keys))}: " if keys else ""
        yield f"{path.name}{location}: {subject}{_message(found)}"


def _location(content: Any, keys: list[int | str]) -> tuple[str, list[int | str]]:
    """Return story and turn in words, and the remaining keys of the location."""
    location = ""
    if len(keys) > 1 and keys[0] == "stories":
        location = f", {_name(content['stories'][keys[1]], int(keys[1]))}"
        keys = keys[2:]
        if len(keys) > 1 and keys[0] == "turns":
            location, keys = f"{location}, turn {int(keys[1]) + 1}", keys[2:]
    return location, keys


def _name(story: Any, index: int) -> str:
    name = story.get("name") if isinstance(story, dict) else None
    return f'"{name}"' if name else f"story {index + 1}"


def _message(found: Mapping[str, Any]) -> str:
    """Return the problem in words for authors."""
    return _MESSAGES.get(found["type"], str(found["msg"]).removeprefix("Value error, "))
