"""Routes of versions: check, publish, list, export, compare."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import PlainTextResponse

from chat_service.programs.authoring.dependencies import Examined, VersionsService
from chat_service.programs.authoring.diff import as_json, as_text
from chat_service.programs.authoring.schemas import (
    MAX_VERSION,
    DifferenceOut,
    FindingOut,
    Slug,
    VersionOut,
)
from chat_service.programs.content.rendering import render
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Instructor
from cogniflow_kit.schemas import Page, PageRequest

router = APIRouter(tags=["authoring"])

Version = Annotated[int, Path(ge=1, le=MAX_VERSION)]


class YamlResponse(Response):
    media_type = "application/yaml"


@router.post("/api/programs/validate")
def validate_program(finding: Examined) -> FindingOut:
    """Whether a program could be published, and every problem with its place. Nothing is stored."""
    return FindingOut.model_validate(finding)


@router.post(
    "/api/programs/{slug}/versions",
    status_code=201,
    responses={
        200: {"model": VersionOut, "description": "This very version was published already"},
        **problems(409),
    },
)
def publish_version(
    slug: Slug, finding: Examined, author: Instructor, versions: VersionsService, response: Response
) -> VersionOut:
    """Publish a version for good. Nobody begins it before a label points at it.

    422 with the places of all problems; 409 for other content under a number that is taken.
    """
    version, is_new = versions.publish(slug, finding, author.id)
    response.status_code = 201 if is_new else 200
    return version


@router.get("/api/programs/{slug}/versions", responses=problems(404))
def list_versions(
    slug: Slug, _: Instructor, versions: VersionsService, page: Annotated[PageRequest, Depends()]
) -> Page[VersionOut]:
    """Every version with the labels that point at it, newest first."""
    items, next_cursor = page.slice(versions.page(slug, page.after, page.limit))
    return Page(items=items, next_cursor=next_cursor)


@router.get(
    "/api/programs/{slug}/versions/{version}/source",
    response_class=YamlResponse,
    responses={
        200: {"content": {"application/yaml": {"schema": {"type": "string"}}}},
        **problems(404),
    },
)
def export_version(slug: Slug, version: Version, _: Instructor, versions: VersionsService) -> YamlResponse:
    """The version as YAML; publishing it again gives the same version."""
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
    """What `other` has that `version` hasn't, the other way round, and what differs in both."""
    found = versions.compare(slug, version, other)
    if form == "text":
        return PlainTextResponse(as_text(found, f"{slug} {version} → {other}"))
    return as_json(found)
