"""What the safety check found, and who looks at it."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from chat_service.tables.base import Base, MaybeMoment, UserId
from chat_service.tables.sessions import OwnSession, OwnTurn
from cogniflow_kit.sql.tables import Id, Moment


class RiskDetection(Base):
    """What the safety check found in a message of a program; never a word of it."""

    __tablename__ = "risk_detections"
    __table_args__ = (
        CheckConstraint("severity IN ('concern', 'high', 'imminent')", name="severity"),
        CheckConstraint("subject IN ('self', 'other')", name="subject"),
    )

    detection_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UserId]
    turn_id: Mapped[OwnTurn]
    category: Mapped[str]
    severity: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default="self")
    resources_shown: Mapped[bool] = mapped_column(server_default="true")
    detected_at: Mapped[Moment] = mapped_column(server_default=func.now(), index=True)


class RiskReview(Base):
    """A detection that a person looks at."""

    __tablename__ = "risk_reviews"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="status"),
        CheckConstraint("outcome IN ('no_action', 'contacted', 'referred', 'false_alarm')", name="outcome"),
        CheckConstraint("(status = 'closed') = (outcome IS NOT NULL)", name="closed_with_outcome"),
        Index("ix_risk_reviews_status", "status", "review_id"),
    )

    review_id: Mapped[Id]
    detection_id: Mapped[UUID] = mapped_column(
        ForeignKey(RiskDetection.detection_id, ondelete="CASCADE"), unique=True
    )
    status: Mapped[str] = mapped_column(server_default="open")
    outcome: Mapped[str | None]
    note: Mapped[str | None]
    opened_at: Mapped[Moment] = mapped_column(server_default=func.now())
    reviewer_id: Mapped[UUID | None]
    closed_at: Mapped[MaybeMoment]


class SafetyAccess(Base):
    """Who looked at detections, and when."""

    __tablename__ = "safety_accesses"

    access_id: Mapped[Id]
    reviewer_id: Mapped[UserId]
    action: Mapped[str]
    review_id: Mapped[UUID | None] = mapped_column(index=True)
    at: Mapped[Moment] = mapped_column(server_default=func.now(), index=True)
