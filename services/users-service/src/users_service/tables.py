"""All tables of users-service, in the PostgreSQL schema `users`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from cogniflow_kit.sql.tables import CreatedAt, Id, Moment, add_shared_tables, service_metadata

metadata = service_metadata("users")

OptionalMoment = Annotated[datetime | None, mapped_column(DateTime(timezone=True))]


class Base(DeclarativeBase):
    metadata = metadata


USER_TRIGRAMS = "users.trigrams(VARIADIC ARRAY[username, email, full_name])"
"""Every three characters in a row of what the search of people looks in, in lower case; indexed."""


class User(Base):
    """An account. Usernames and e-mail addresses are unique, ignoring case."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('student', 'instructor', 'researcher', 'admin')", name="role"),
        Index("uq_users_username_lower", text("lower(username)"), unique=True),
        Index("uq_users_email_lower", text("lower(email)"), unique=True),
        Index("ix_users_trigrams", text(USER_TRIGRAMS), postgresql_using="gin"),
    )

    id: Mapped[Id]
    username: Mapped[str]
    email: Mapped[str]
    full_name: Mapped[str]
    hashed_password: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="student")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    email_verified_at: Mapped[OptionalMoment]
    locked_at: Mapped[OptionalMoment]
    created_at: Mapped[CreatedAt]
    last_login: Mapped[OptionalMoment]

    @property
    def may_log_in(self) -> bool:
        """Whether the account is neither deactivated by its user nor locked by an admin."""
        return self.is_active and self.locked_at is None


class UserProfile(Base):
    """A user's profile and preferences. The first read inserts it with defaults."""

    __tablename__ = "user_profiles"

    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True)
    display_name: Mapped[str | None]
    bio: Mapped[str | None]
    preferred_meditation_duration: Mapped[int] = mapped_column(server_default="10", comment="minutes")
    preferred_mentor_category: Mapped[str | None]
    theme_preference: Mapped[str] = mapped_column(server_default="system")
    locale: Mapped[str] = mapped_column(server_default="en")
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    updated_at: Mapped[CreatedAt]


class UserSession(Base):
    """A login session on one device, from login to logout. Its refresh tokens form one chain."""

    __tablename__ = "user_sessions"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    device: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[Moment]
    ended_at: Mapped[OptionalMoment]
    end_reason: Mapped[str | None]

    user: Mapped[User] = relationship(lazy="raise")


class RefreshToken(Base):
    """A refresh token of a login session, as its SHA-256. Each spent token has one successor."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey(UserSession.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    spent_at: Mapped[OptionalMoment]

    session: Mapped[UserSession] = relationship(lazy="raise")


class Revocation(Base):
    """Refuses access tokens before they expire: a session's, or a user's issued before `revoked_at`.

    The worker deletes it when these tokens have expired.
    """

    __tablename__ = "revocations"

    id: Mapped[Id]
    session_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    revoked_at: Mapped[Moment] = mapped_column(index=True)


class LoginFailure(Base):
    """A wrong password or a requested mail, counted for a rate limit. `key`: account, mailbox or address."""

    __tablename__ = "login_failures"
    __table_args__ = (Index("ix_login_failures_key_occurred_at", "key", "occurred_at"),)

    id: Mapped[Id]
    key: Mapped[str]
    occurred_at: Mapped[Moment]


class OneTimeToken(Base):
    """The token of a mailed link, as its SHA-256. It proves once that the user reads the mailbox `email`."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        CheckConstraint("purpose IN ('verify_email', 'reset_password', 'change_email')", name="purpose"),
    )

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    purpose: Mapped[str]
    email: Mapped[str]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    used_at: Mapped[OptionalMoment]


class Mail(Base):
    """A mail that the worker sends or, without a mail server, an admin reads.

    Sending empties its body. The worker deletes it after `expires_at`, when its link has expired.
    """

    __tablename__ = "mails"

    id: Mapped[Id]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment] = mapped_column(index=True)
    sent_at: Mapped[OptionalMoment]


class ExternalIdentity(Base):
    """An identity at an OpenID Connect provider, linked to an account."""

    __tablename__ = "external_identities"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    linked_at: Mapped[CreatedAt]


class ExternalLogin(Base):
    """A pending login at the OpenID Connect provider, by the SHA-256 of its `state` parameter."""

    __tablename__ = "external_logins"

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str]
    encrypted_code_verifier: Mapped[str]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[Moment] = mapped_column(index=True)


class ServiceClient(Base):
    """A service that may ask for service tokens. `grants`: the allowed scopes by called service."""

    __tablename__ = "service_clients"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str]
    grants: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    updated_at: Mapped[CreatedAt]


class SecurityEvent(Base):
    """A security event. A trigger refuses changes, except that an erasure may remove ids and address.

    `user_id` has no foreign key, because events are kept when an account is erased.
    """

    __tablename__ = "security_events"
    __table_args__ = (
        Index("ix_security_events_type_id", "type", "id"),
        Index("ix_security_events_user_id_id", "user_id", "id"),
    )

    id: Mapped[Id]
    type: Mapped[str]
    user_id: Mapped[UUID | None]
    actor_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    address: Mapped[str | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    occurred_at: Mapped[CreatedAt]


class DataExport(Base):
    """An export of one user's personal data. `parts_done`: how many services are in the archive."""

    __tablename__ = "data_exports"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'ready', 'failed')", name="status"),
        Index(
            "uq_data_exports_open",
            "user_id",
            unique=True,
            postgresql_where=text("status IN ('queued', 'running')"),
        ),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(server_default="queued")
    parts_done: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[OptionalMoment]
    downloaded_at: Mapped[OptionalMoment]


class DataExportChunk(Base):
    """A chunk of an export's archive, so that archives needn't fit into memory."""

    __tablename__ = "data_export_chunks"

    export_id: Mapped[UUID] = mapped_column(ForeignKey(DataExport.id, ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes]


class ErasureRequest(Base):
    """A user's request to be erased.

    `user_id` has no foreign key, because the request is kept when the account
    is erased. `passes`: how many passes over all services are done.
    `receipts`: by service, the number of erased records by store, and the time.
    """

    __tablename__ = "erasure_requests"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'canceled', 'running', 'finished')", name="status"),
        Index(
            "uq_erasure_requests_open",
            "user_id",
            unique=True,
            postgresql_where=text("status IN ('waiting', 'running')"),
        ),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(server_default="waiting")
    passes: Mapped[int] = mapped_column(server_default="0")
    receipts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    requested_at: Mapped[CreatedAt]
    due_at: Mapped[Moment] = mapped_column(index=True)
    finished_at: Mapped[OptionalMoment]


class SigningKey(Base):
    """A key pair for access tokens, with an encrypted private key.

    It is published at once and signs from `active_from` on, so that every
    service knows it before the first token. `retired_at` ends its publication.
    """

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    encrypted_private_key: Mapped[str]
    public_key: Mapped[str]
    created_at: Mapped[CreatedAt]
    active_from: Mapped[Moment]
    retired_at: Mapped[OptionalMoment]


add_shared_tables(metadata)
