"""Wires authoring to the request."""

from typing import Annotated

from fastapi import Depends, Request

from chat_service.programs.authoring.experiments import Experiments
from chat_service.programs.authoring.labels import Labels
from chat_service.programs.authoring.schemas import Source
from chat_service.programs.authoring.session_moves import SessionMover
from chat_service.programs.authoring.validation_report import ValidationReport, examine
from chat_service.programs.authoring.versions import Versions
from cogniflow_kit.identity import Instructor
from cogniflow_kit.sql.database import DatabaseSession


def get_finding(source: Source, _: Instructor) -> ValidationReport:
    """Routes take this first, so that no session is held while a long text is read."""
    return examine(source)


async def get_versions(session: DatabaseSession) -> Versions:
    return Versions(session)


async def get_labels(session: DatabaseSession) -> Labels:
    return Labels(session)


async def get_experiments(session: DatabaseSession) -> Experiments:
    return Experiments(session)


async def get_moving(request: Request) -> SessionMover:
    moving: SessionMover = request.app.state.moving
    return moving


Examined = Annotated[ValidationReport, Depends(get_finding)]
VersionsService = Annotated[Versions, Depends(get_versions)]
LabelsService = Annotated[Labels, Depends(get_labels)]
ExperimentsService = Annotated[Experiments, Depends(get_experiments)]
MovingService = Annotated[SessionMover, Depends(get_moving)]
