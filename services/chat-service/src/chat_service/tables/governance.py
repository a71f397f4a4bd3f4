"""What runs the service itself: settings, clearing up, what was taken over from older systems."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chat_service.tables.base import Base, Json, MaybeMoment
from cogniflow_kit.sql.tables import Id, Moment


class SystemSetting(Base):
    """A setting that an admin changed. The value of a `secret` is encrypted."""

    __tablename__ = "system_settings"
    __table_args__ = (
        CheckConstraint(
            "setting_type IN ('string', 'integer', 'boolean', 'json', 'secret')", name="setting_type"
        ),
    )

    setting_id: Mapped[Id]
    setting_key: Mapped[str] = mapped_column(unique=True)
    setting_value: Mapped[Any | None] = mapped_column(JSONB)
    setting_type: Mapped[str]
    description: Mapped[str]
    updated_by: Mapped[UUID | None]
    updated_at: Mapped[Moment] = mapped_column(server_default=func.now())


class SystemSettingChange(Base):
    """Who changed a setting, from what to what; secrets are masked. Append-only."""

    __tablename__ = "system_setting_changes"

    change_id: Mapped[Id]
    setting_key: Mapped[str] = mapped_column(index=True)
    actor_id: Mapped[UUID | None]
    old_value: Mapped[Any | None] = mapped_column(JSONB)
    new_value: Mapped[Any | None] = mapped_column(JSONB)
    changed_at: Mapped[Moment] = mapped_column(server_default=func.now(), index=True)


class RetentionRun(Base):
    """What a run of the clearing up removed, in counts and no content."""

    __tablename__ = "retention_runs"

    run_id: Mapped[Id]
    started_at: Mapped[Moment] = mapped_column(server_default=func.now(), index=True)
    finished_at: Mapped[MaybeMoment]
    counts: Mapped[Json]


class LegacyImport(Base):
    """A source of an older system that was taken over: once, as a whole."""

    __tablename__ = "legacy_imports"

    import_id: Mapped[Id]
    kind: Mapped[str]
    checksum: Mapped[str] = mapped_column(unique=True)
    counts: Mapped[Json]
    applied_at: Mapped[Moment] = mapped_column(server_default=func.now())
