"""A program as its author writes it: weeks, questions, prompts, content blocks.

Field names are the columns of the tables. Checks that need more than one
part (placeholders, numbering) are in `validation.py`.
"""

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chat_service.programs.content.rules import Checklist, Rule
from cogniflow_kit.ids import new_id

_SCENARIO = re.compile(r"scenario_([1-9][0-9]?)_respond")
PROMPT_TYPE = (
    r"^(classifier|validation|followup|followup_respond|skip_respond|clarify_respond"
    rf"|{_SCENARIO.pattern})$"
)
SKIPPED = "SKIPPED"
"""The scenario of a question that was skipped."""

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class ContentBlock(_Part):
    content_id: UUID = Field(default_factory=new_id)
    block_name: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64)
    content_text: str = Field(min_length=1)
    content_type: str = "text"


class Prompt(_Part):
    """`prompt_text` instructs a language model; `response_text` is the coach's response without one.

    `next_question` follows when this scenario or skip_respond responded.
    `examples`, for scenarios alone, are typical answers of the scenario; they
    are compared with answers that match no rule.
    """

    prompt_id: UUID = Field(default_factory=new_id)
    prompt_type: str = Field(pattern=PROMPT_TYPE)
    prompt_text: str = Field(min_length=1)
    response_text: str = ""
    conditions: Rule | Checklist | None = None
    examples: list[str] = Field(default=[], max_length=100)
    next_question: int | None = Field(default=None, ge=1)

    @property
    def scenario_number(self) -> int | None:
        match = _SCENARIO.fullmatch(self.prompt_type)
        return int(match[1]) if match else None

    @property
    def scenario_name(self) -> str | None:
        number = self.scenario_number
        return f"SCENARIO_{number}" if number is not None else None


class Question(_Part):
    """`step` names its state in an intake; the answer is kept under the key `keeps` for later texts.

    `max_iterations`: how often it is asked for what is missing, the first time included.
    """

    question_id: UUID = Field(default_factory=new_id)
    question_number: int = Field(ge=1)
    question_text: str = Field(min_length=1)
    question_type: Literal["open_ended", "yes_no", "multiple_choice"] = "open_ended"
    requires_followup: bool = False
    step: Key | None = None
    skippable: bool = False
    max_iterations: int = Field(default=3, ge=1, le=3)
    keeps: Key | None = None
    choices: list[Annotated[str, Field(min_length=1)]] = Field(default=[], max_length=100)
    prompts: list[Prompt] = Field(min_length=1, max_length=100)

    def prompt(self, prompt_type: str) -> Prompt | None:
        return next((prompt for prompt in self.prompts if prompt.prompt_type == prompt_type), None)

    @property
    def fsm_state(self) -> str:
        """The value of the column `fsm_state` while this question is open."""
        return self.step or str(self.question_number)

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
    questions: list[Question] = Field(min_length=1, max_length=100)
    content_blocks: list[ContentBlock] = Field(default=[], max_length=100)

    def question(self, number: int) -> Question:
        return self.questions[number - 1]


class Retention(_Part):
    """How long this program's data is kept, in days; null: as long as the installation says."""

    sessions_days: int | None = Field(default=None, ge=1)
    detections_days: int | None = Field(default=None, ge=1)
    transcript_at_completion: Literal["keep", "remove"] | None = None


class Program(_Part):
    """One published version; it never changes.

    `coach` is the coach's name; `anonymous`: sessions can start without an
    account.
    """

    version_id: UUID = Field(default_factory=new_id)
    slug: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)
    version: int = Field(ge=1)
    title: str
    description: str
    coach: str = Field(default="NOVA", min_length=1, max_length=80)
    locale: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")
    anonymous: bool = False
    retention: Retention = Retention()
    weeks: list[Week] = Field(min_length=1, max_length=100)

    @property
    def blocks(self) -> dict[str, str]:
        """The text of each content block by its name."""
        return {block.block_name: block.content_text for week in self.weeks for block in week.content_blocks}

    def week(self, week_id: UUID) -> Week:
        return next(week for week in self.weeks if week.week_id == week_id)

    def week_numbered(self, number: int) -> Week | None:
        return next((week for week in self.weeks if week.week_number == number), None)

    @property
    def active_weeks(self) -> list[Week]:
        return [week for week in self.weeks if week.is_active]
