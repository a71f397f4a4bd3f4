"""Bodies of the authoring routes."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Body, Path
from pydantic import Field, StringConstraints, model_validator

from chat_service.programs.content.version_labels import PRODUCTION
from cogniflow_kit.schemas import RequestBody, ResponseBody

MAX_VERSION = 2**31 - 1

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]
VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSION)]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=32)]
Source = Annotated[
    str, Body(media_type="application/yaml", description="A program as YAML, up to 1,000,000 bytes.")
]


class ProblemOut(ResponseBody):
    """Where something is wrong, as far as it has a place."""

    week: int | None
    question: int | None
    prompt: str | None
    message: str


class FindingOut(ResponseBody):
    """Whether publishing would take it, under which name. `more`: how many problems are left out."""

    valid: bool
    slug: str | None
    version: int | None
    problems: list[ProblemOut]
    more: int


class VersionOut(ResponseBody):
    """`published_by` is null for what the installation brought."""

    id: UUID
    version: int
    title: str
    published_at: datetime
    published_by: UUID | None
    labels: list[str]


class PlaceOut(ResponseBody):
    week: int | None
    question: int | None
    prompt: str | None
    block: str | None


class ChangeOut(PlaceOut):
    """A field's values; null is one that isn't given."""

    field: str
    old: Any
    new: Any


class DifferenceOut(ResponseBody):
    added: list[PlaceOut]
    removed: list[PlaceOut]
    changed: list[ChangeOut]


class LabelOut(ResponseBody):
    """`moved_by` is null where the installation moved it."""

    label: str
    version: int
    moved_at: datetime
    moved_by: UUID | None


class LabelsOut(ResponseBody):
    labels: list[LabelOut]


class LabelMoveOut(ResponseBody):
    """`to_version` is null where the label was taken away, `from_version` where there was none."""

    id: UUID
    from_version: int | None
    to_version: int | None
    moved_at: datetime
    moved_by: UUID | None


class MoveLabel(RequestBody):
    version: VersionNumber


class NewArm(RequestBody):
    """`weight` out of the sum of all weights."""

    version: VersionNumber
    weight: int = Field(default=1, ge=1, le=1000)


class NewExperiment(RequestBody):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    label: LabelName = PRODUCTION
    arms: list[NewArm] = Field(min_length=2, max_length=10)

    @model_validator(mode="after")
    def _different_versions(self) -> Self:
        versions = [arm.version for arm in self.arms]
        if len(set(versions)) < len(versions):
            raise ValueError("each arm needs a version of its own")
        return self


class ArmOut(ResponseBody):
    """`participants` were given this version, `sessions` began with it, `completed` are those that ended."""

    version: int
    weight: int
    participants: int
    sessions: int
    completed: int


class ExperimentOut(ResponseBody):
    id: UUID
    name: str
    label: str
    status: Literal["running", "stopped"]
    created_at: datetime
    stopped_at: datetime | None
    arms: list[ArmOut]


class MoveSessions(RequestBody):
    """`from_version`: only sessions on this one. Without `dry_run: false` nothing is changed."""

    from_version: VersionNumber | None = None
    dry_run: bool = True


class SpotOut(ResponseBody):
    week: int
    question: int


class Fate(StrEnum):
    """What the new version has in place of the session's open question."""

    SAME_PLACE = "same_place"
    QUESTION_CHANGED = "question_changed"
    QUESTION_GONE = "question_gone"
    WEEK_GONE = "week_gone"


class Obstacle(StrEnum):
    """Why a session stays on its version.

    `nothing_left`: every question was answered. `needs_more`: texts ahead
    refer to an answer that this participant was never asked for.
    """

    WEEK_GONE = "week_gone"
    NOTHING_LEFT = "nothing_left"
    NEEDS_MORE = "needs_more"
    IN_EXPERIMENT = "in_experiment"
    RUNNING_TURN = "running_turn"
    CHANGED_MEANWHILE = "changed_meanwhile"


class SessionMoveOut(ResponseBody):
    """What becomes of a session, without a word of it.

    `at`: where it stands, `fate`: what the new version makes of that place,
    `stands_at`: where it goes on (null: it stays, by `obstacle`).
    `changed_answers`: answered questions that read otherwise there, or are gone.
    """

    session_id: UUID
    from_version: int | None = None
    at: SpotOut | None = None
    fate: Fate | None = None
    stands_at: SpotOut | None = None
    changed_answers: list[SpotOut] = Field(default=[])
    obstacle: Obstacle | None = None
    moved: bool = False


class MovesOut(ResponseBody):
    """`total`: sessions on other versions, before this call. Go on with `next_cursor`."""

    dry_run: bool
    total: int
    moved: int
    items: list[SessionMoveOut]
    next_cursor: str | None
