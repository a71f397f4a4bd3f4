"""What every module of tables shares."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from cogniflow_kit.sql.tables import service_metadata

metadata: MetaData = service_metadata("chat")

MaybeMoment = Annotated[datetime | None, mapped_column(DateTime(timezone=True))]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
MaybeJson = Annotated[dict[str, Any] | None, mapped_column(JSONB(none_as_null=True))]
EmptyJson = Annotated[dict[str, Any], mapped_column(JSONB, server_default="{}")]
Texts = Annotated[list[str], mapped_column(JSONB, server_default="[]")]
UserId = Annotated[UUID, mapped_column(index=True)]


class Base(DeclarativeBase):
    metadata = metadata
