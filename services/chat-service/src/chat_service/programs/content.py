"""A programme as its author writes it: weeks, questions, prompts, content blocks.

Field names are the columns of the tables. Checks that need more than one
part (placeholders, numbering) are in `validation.py`.
"""

import re
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chat_service.programs.rules import Checklist, Rule
from cogniflow_kit.ids import new_id

_SCENARIO = re.compile(r"scenario_([1-9]\d*)_respond")
PROMPT_TYPE = rf"^(classifier|validation|followup|followup_respond|{_SCENARIO.pattern})$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class ContentBlock(_Part):
    content_id: UUID = Field(default_factory=new_id)
    block_name: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    content_text: str = Field(min_length=1)
    content_type: str = "text"


class Prompt(_Part):
    """`prompt_text` instructs a language model, `response_text` is what the coach says without one."""

    prompt_id: UUID = Field(default_factory=new_id)
    prompt_type: str = Field(pattern=PROMPT_TYPE)
    prompt_text: str = Field(min_length=1)
    response_text: str = ""
    conditions: Rule | Checklist | None = None

    @property
    def scenario_number(self) -> int | None:
        match = _SCENARIO.fullmatch(self.prompt_type)
        return int(match[1]) if match else None

    @property
    def scenario_name(self) -> str | None:
        number = self.scenario_number
        return f"SCENARIO_{number}" if number is not None else None


class Question(_Part):
    question_id: UUID = Field(default_factory=new_id)
    question_number: int = Field(ge=1)
    question_text: str = Field(min_length=1)
    question_type: Literal["open_ended", "yes_no", "multiple_choice"] = "open_ended"
    requires_followup: bool = False
    prompts: list[Prompt] = Field(min_length=1)

    def prompt(self, prompt_type: str) -> Prompt | None:
        return next((prompt for prompt in self.prompts if prompt.prompt_type == prompt_type), None)

    @property
    def scenarios(self) -> list[Prompt]:
        """The branches, in the order of their numbers."""
        branches = [(prompt.scenario_number, prompt) for prompt in self.prompts]
        return [prompt for number, prompt in sorted(branches, key=lambda b: b[0] or 0) if number is not None]


class Week(_Part):
    week_id: UUID = Field(default_factory=new_id)
    week_number: int = Field(ge=1)
    name: str
    title: str
    description: str
    video_content: str = ""
    exercise_content: str = ""
    is_active: bool = True
    questions: list[Question] = Field(min_length=1)
    content_blocks: list[ContentBlock] = []

    def question(self, number: int) -> Question:
        return self.questions[number - 1]


class Programme(_Part):
    """One published version; it never changes."""

    version_id: UUID = Field(default_factory=new_id)
    slug: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)
    version: int = Field(ge=1)
    title: str
    description: str
    weeks: list[Week] = Field(min_length=1)

    @property
    def blocks(self) -> dict[str, str]:
        """The text of each content block by its name."""
        return {block.block_name: block.content_text for week in self.weeks for block in week.content_blocks}

    def week(self, week_id: UUID) -> Week:
        return next(week for week in self.weeks if week.week_id == week_id)

    def week_after(self, week: Week) -> Week | None:
        later = (other for other in self.weeks if other.is_active and other.week_number > week.week_number)
        return next(later, None)
