"""Every table of users-service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from cogniflow_kit.jobs import jobs_table
from cogniflow_kit.sql.idempotency import idempotency_table
from cogniflow_kit.sql.outbox import outbox_table
from cogniflow_kit.sql.tables import CreatedAt, Id, Moment, service_metadata

metadata = service_metadata("users")


class Base(DeclarativeBase):
    metadata = metadata


class User(Base):
    """An account. Names and addresses are unique whatever their case."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('student', 'instructor', 'researcher', 'admin')", name="role"),
        Index("uq_users_username_lower", text("lower(username)"), unique=True),
        Index("uq_users_email_lower", text("lower(email)"), unique=True),
    )

    id: Mapped[Id]
    username: Mapped[str]
    email: Mapped[str]
    full_name: Mapped[str]
    hashed_password: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="student")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[CreatedAt]
    last_login: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class UserSession(Base):
    """A login on one device, from the password to the logout. Its refresh tokens are one family."""

    __tablename__ = "user_sessions"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    device: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    end_reason: Mapped[str | None]

    user: Mapped[User] = relationship(lazy="raise")


class RefreshToken(Base):
    """One link in a session's line of refresh tokens; only its SHA-256 is kept."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey(UserSession.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    spent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    session: Mapped[UserSession] = relationship(lazy="raise")


class SigningKey(Base):
    """A key pair for access tokens; the private half is encrypted."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    encrypted_private_key: Mapped[str]
    public_key: Mapped[str]
    created_at: Mapped[CreatedAt]


idempotency_table(metadata)
outbox_table(metadata)
jobs_table(metadata)
