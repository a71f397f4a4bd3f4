"""Request and response bodies of the authoring routes."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from chat_service.programs.authoring.service import ExperimentWithArms
from chat_service.programs.authoring.session_moves import SessionMove
from chat_service.programs.content.version_labels import PRODUCTION
from cogniflow_kit.schemas import RequestBody, ResponseBody

MAX_VERSION = 2**31 - 1

VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSION)]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=32)]


class ProblemOut(ResponseBody):
    """A validation message. `week`, `question`, `prompt`: its place, as far as it has one."""

    week: int | None
    question: int | None
    prompt: str | None
    message: str


class FindingOut(ResponseBody):
    """Whether the program can be published. `more`: the number of problems that are not listed."""

    valid: bool
    slug: str | None
    version: int | None
    problems: list[ProblemOut]
    more: int


class VersionOut(ResponseBody):
    """`published_by` is null for bundled versions."""

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
    """A field with its values in both versions; null where it is not given."""

    field: str
    old: Any
    new: Any


class DifferenceOut(ResponseBody):
    added: list[PlaceOut]
    removed: list[PlaceOut]
    changed: list[ChangeOut]


class LabelOut(ResponseBody):
    """`moved_by` is null for a label that the installation set."""

    label: str
    version: int
    moved_at: datetime
    moved_by: UUID | None


class LabelsOut(ResponseBody):
    labels: list[LabelOut]


class LabelMoveOut(ResponseBody):
    """`to_version` is null when the label was removed, `from_version` when it was new."""

    id: UUID
    from_version: int | None
    to_version: int | None
    moved_at: datetime
    moved_by: UUID | None


class MoveLabel(RequestBody):
    version: VersionNumber


class NewArm(RequestBody):
    """`weight`: its share, relative to the sum of all weights."""

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
    """Counts of one version: participants assigned, sessions started, sessions completed."""

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
    """`from_version`: only sessions on that version. Without `dry_run: false` nothing changes."""

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
    """The effect of a move on one session. Contains no text of its participant.

    `at`: its open question. `fate`: what the new version has in its place.
    `stands_at`: where it continues; null when it stays, because of `obstacle`.
    `changed_answers`: answered questions with another text in the new version, or none.
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
    """`total`: the number of sessions on other versions before this call. Continue with `next_cursor`."""

    dry_run: bool
    total: int
    moved: int
    items: list[SessionMoveOut]
    next_cursor: str | None


def experiment_out(found: ExperimentWithArms) -> ExperimentOut:
    experiment = found.experiment
    return ExperimentOut(
        id=experiment.experiment_id,
        name=experiment.name,
        label=experiment.label,
        status="running" if experiment.status == "running" else "stopped",
        created_at=experiment.created_at,
        stopped_at=experiment.stopped_at,
        arms=[ArmOut.model_validate(arm) for arm in found.arms],
    )


def session_move_out(move: SessionMove) -> SessionMoveOut:
    return SessionMoveOut(
        session_id=move.session_id,
        from_version=move.from_version,
        at=SpotOut.model_validate(move.at) if move.at else None,
        fate=Fate(move.outcome) if move.outcome else None,
        stands_at=SpotOut.model_validate(move.continues_at) if move.continues_at else None,
        changed_answers=[SpotOut.model_validate(position) for position in move.changed_answers],
        obstacle=Obstacle(move.blocker) if move.blocker else None,
        moved=move.moved,
    )
