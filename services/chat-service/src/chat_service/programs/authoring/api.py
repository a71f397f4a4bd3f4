"""Routes of authoring: versions, labels, experiments, and moving program sessions to another version."""

from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import PlainTextResponse

from chat_service.programs.authoring.dependencies import (
    ExperimentsService,
    LabelsService,
    SessionMoverService,
    ValidatedProgram,
    VersionsService,
)
from chat_service.programs.authoring.diff import as_json, as_text
from chat_service.programs.authoring.schemas import (
    MAX_VERSION,
    DifferenceOut,
    ExperimentOut,
    FindingOut,
    LabelMoveOut,
    LabelOut,
    LabelsOut,
    MoveLabel,
    MoveSessions,
    MovesOut,
    NewExperiment,
    VersionOut,
    experiment_out,
    session_move_out,
)
from chat_service.programs.content.rendering import render
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Admin, Instructor
from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.idempotency import UserIdempotency

log = structlog.stdlib.get_logger(__name__)
router = APIRouter(tags=["authoring"])

Slug = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]
Version = Annotated[int, Path(ge=1, le=MAX_VERSION)]
Label = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]*$", max_length=32)]
Paging = Annotated[PageRequest, Depends()]


class YamlResponse(Response):
    media_type = "application/yaml"


@router.post("/api/programs/validate")
def validate_program(report: ValidatedProgram) -> FindingOut:
    """Check whether a program can be published, and list every problem with its place. Nothing is stored."""
    return FindingOut.model_validate(report)


@router.post(
    "/api/programs/{slug}/versions",
    status_code=201,
    responses={
        200: {"model": VersionOut, "description": "This very version was published already"},
        **problems(409),
    },
)
def publish_version(
    slug: Slug, report: ValidatedProgram, author: Instructor, versions: VersionsService, response: Response
) -> VersionOut:
    """Publish a version. It never changes, and participants start it only when a label points at it.

    422 lists the places of all problems; 409 means that the number has other content.
    """
    version, is_new = versions.publish(slug, report, author.id)
    response.status_code = 201 if is_new else 200
    return VersionOut.model_validate(version)


@router.get("/api/programs/{slug}/versions", responses=problems(404))
def list_versions(slug: Slug, _: Instructor, versions: VersionsService, page: Paging) -> Page[VersionOut]:
    """List every version with the labels that point at it, newest first."""
    items, next_cursor = page.slice(versions.page(slug, page.after, page.limit))
    return Page(items=[VersionOut.model_validate(item) for item in items], next_cursor=next_cursor)


@router.get(
    "/api/programs/{slug}/versions/{version}/source",
    response_class=YamlResponse,
    responses={
        200: {"content": {"application/yaml": {"schema": {"type": "string"}}}},
        **problems(404),
    },
)
def export_version(slug: Slug, version: Version, _: Instructor, versions: VersionsService) -> YamlResponse:
    """Return the version as YAML. Publishing that YAML gives the same version."""
    name = f'attachment; filename="{slug}-{version}.yaml"'
    return YamlResponse(render(versions.content(slug, version)), headers={"Content-Disposition": name})


@router.get(
    "/api/programs/{slug}/versions/{version}/diff/{other}",
    response_model=DifferenceOut,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems(404),
    },
)
def compare_versions(
    slug: Slug,
    version: Version,
    other: Version,
    _: Instructor,
    versions: VersionsService,
    form: Annotated[Literal["json", "text"], Query(alias="format")] = "json",
) -> Any:
    """Compare two versions: what only `other` has, what only `version` has, and what differs in both."""
    found = versions.compare(slug, version, other)
    if form == "text":
        return PlainTextResponse(as_text(found, f"{slug} {version} → {other}"))
    return as_json(found)


@router.get("/api/programs/{slug}/labels", responses=problems(404))
def list_labels(slug: Slug, _: Instructor, labels: LabelsService) -> LabelsOut:
    """List the labels and their versions. New participants start `production`."""
    return LabelsOut(labels=[LabelOut.model_validate(label) for label in labels.all(slug)])


@router.put("/api/programs/{slug}/labels/{label}", responses=problems(404))
def move_label(
    slug: Slug, label: Label, body: MoveLabel, user: Instructor, labels: LabelsService
) -> LabelOut:
    """Point a label at a version. Running sessions stay on theirs; only admins move `production`."""
    return LabelOut.model_validate(labels.put(slug, label, body.version, user))


@router.delete("/api/programs/{slug}/labels/{label}", status_code=204, responses=problems(404, 409))
def remove_label(slug: Slug, label: Label, user: Instructor, labels: LabelsService) -> None:
    """Remove a label. Without `production` nobody can start the program."""
    labels.remove(slug, label, user)


@router.post("/api/programs/{slug}/labels/{label}/rollback", responses=problems(404, 409))
def roll_label_back(
    slug: Slug, label: Label, user: Instructor, idempotency: UserIdempotency, labels: LabelsService
) -> LabelOut:
    """Point a label at its previous version; each further rollback goes back one more move.

    A removed label comes back. 409 `nothing_before` at the start of its history.
    """
    return idempotency.store(LabelOut.model_validate(labels.roll_back(slug, label, user)), 200)


@router.get("/api/programs/{slug}/labels/{label}/history", responses=problems(404))
def read_label_history(
    slug: Slug, label: Label, _: Instructor, labels: LabelsService, page: Paging
) -> Page[LabelMoveOut]:
    """List every move of the label, newest first."""
    items, next_cursor = page.slice(labels.history(slug, label, page.after, page.limit))
    return Page(items=[LabelMoveOut.model_validate(item) for item in items], next_cursor=next_cursor)


@router.post("/api/programs/{slug}/experiments", status_code=201, responses=problems(404, 409))
def start_experiment(
    slug: Slug,
    body: NewExperiment,
    user: Admin,
    idempotency: UserIdempotency,
    experiments: ExperimentsService,
) -> ExperimentOut:
    """Split a label's new participants between published versions. One experiment a label runs at a time."""
    weights = {arm.version: arm.weight for arm in body.arms}
    return idempotency.store(experiment_out(experiments.start(slug, body.name, body.label, weights, user.id)))


@router.get("/api/programs/{slug}/experiments", responses=problems(404))
def list_experiments(
    slug: Slug, _: Instructor, experiments: ExperimentsService, page: Paging
) -> Page[ExperimentOut]:
    """List every experiment with the counts of its arms, newest first."""
    items, next_cursor = page.slice(experiments.page(slug, page.after, page.limit))
    return Page(items=[experiment_out(item) for item in items], next_cursor=next_cursor)


@router.post("/api/programs/{slug}/experiments/{experiment_id}/stop", responses=problems(404))
def stop_experiment(
    slug: Slug, experiment_id: UUID, _: Admin, experiments: ExperimentsService
) -> ExperimentOut:
    """Stop an experiment. New participants start the label's version; those in it keep theirs."""
    return experiment_out(experiments.stop(slug, experiment_id))


@router.post("/api/programs/{slug}/versions/{version}/move", responses=problems(404))
def move_sessions(
    slug: Slug, version: Version, body: MoveSessions, user: Admin, mover: SessionMoverService, page: Paging
) -> MovesOut:
    """Show what moving running sessions to this version does to each; with `dry_run: false`, move them.

    Sessions never move otherwise. A repetition moves only sessions that are not
    there yet. Sessions with a running turn or in a running experiment stay.
    """
    program, total, found = mover.find(slug, version, body.from_version, page.after, page.limit)
    candidates, next_cursor = page.slice(found)
    items = [
        session_move_out(mover.move(candidate, program, dry_run=body.dry_run)) for candidate in candidates
    ]
    moved = sum(item.moved for item in items)
    if not body.dry_run:
        log.info("sessions moved", slug=slug, version=version, by=str(user.id), moved=moved)
    return MovesOut(dry_run=body.dry_run, total=total, moved=moved, items=items, next_cursor=next_cursor)
