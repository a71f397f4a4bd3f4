"""Routes of labels and experiments: which version newcomers begin."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from chat_service.programs.authoring.dependencies import ExperimentsService, LabelsService
from chat_service.programs.authoring.schemas import (
    ExperimentOut,
    LabelMoveOut,
    LabelOut,
    LabelsOut,
    MoveLabel,
    NewExperiment,
    Slug,
)
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Admin, Instructor
from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.idempotency import UserOnce

router = APIRouter(tags=["authoring"])

Label = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]*$", max_length=32)]


@router.get("/api/programs/{slug}/labels", responses=problems(404))
def list_labels(slug: Slug, _: Instructor, labels: LabelsService) -> LabelsOut:
    """Where each label points. Newcomers begin `production`."""
    return LabelsOut(labels=labels.all(slug))


@router.put("/api/programs/{slug}/labels/{label}", responses=problems(404))
def move_label(
    slug: Slug, label: Label, body: MoveLabel, user: Instructor, labels: LabelsService
) -> LabelOut:
    """Point a label at a version. Running sessions stay on theirs; admins alone move `production`."""
    return labels.put(slug, label, body.version, user)


@router.delete("/api/programs/{slug}/labels/{label}", status_code=204, responses=problems(404, 409))
def remove_label(slug: Slug, label: Label, user: Instructor, labels: LabelsService) -> None:
    """Take a label away. Without `production` nobody can begin the program."""
    labels.remove(slug, label, user)


@router.post("/api/programs/{slug}/labels/{label}/rollback", responses=problems(404, 409))
def roll_label_back(
    slug: Slug, label: Label, user: Instructor, once: UserOnce, labels: LabelsService
) -> LabelOut:
    """Back to where the label pointed before; each further rollback goes one move further back.

    A label that was taken away comes back. 409 `nothing_before` at the beginning of its history.
    """
    return once.keep(labels.roll_back(slug, label, user), 200)


@router.get("/api/programs/{slug}/labels/{label}/history", responses=problems(404))
def read_label_history(
    slug: Slug, label: Label, _: Instructor, labels: LabelsService, page: Annotated[PageRequest, Depends()]
) -> Page[LabelMoveOut]:
    """Every move of the label, newest first."""
    items, next_cursor = page.slice(labels.history(slug, label, page.after, page.limit))
    return Page(items=items, next_cursor=next_cursor)


@router.post("/api/programs/{slug}/experiments", status_code=201, responses=problems(404, 409))
def start_experiment(
    slug: Slug, body: NewExperiment, user: Admin, once: UserOnce, experiments: ExperimentsService
) -> ExperimentOut:
    """Split a label's newcomers between published versions; one experiment a label runs at a time."""
    return once.keep(experiments.start(slug, body, user.id))


@router.get("/api/programs/{slug}/experiments", responses=problems(404))
def list_experiments(
    slug: Slug, _: Instructor, experiments: ExperimentsService, page: Annotated[PageRequest, Depends()]
) -> Page[ExperimentOut]:
    """Every experiment with the counts of its arms, newest first."""
    items, next_cursor = page.slice(experiments.page(slug, page.after, page.limit))
    return Page(items=items, next_cursor=next_cursor)


@router.post("/api/programs/{slug}/experiments/{experiment_id}/stop", responses=problems(404))
def stop_experiment(
    slug: Slug, experiment_id: UUID, _: Admin, experiments: ExperimentsService
) -> ExperimentOut:
    """End it: newcomers begin what the label points at. Who is in it stays on their version."""
    return experiments.stop(slug, experiment_id)
