"""What the turn protocol handles, and what it asks of a store and of an engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from chat_service.safety.check import Risk

LEASE = timedelta(seconds=30)
"""How long a claimed turn keeps its conversation to itself. An answer that takes longer is never stored."""

Place = TypeVar("Place")
"""What the store knows of the conversation and the engine needs: its course, or its state."""
Result_co = TypeVar("Result_co", covariant=True)
Result_contra = TypeVar("Result_contra", contravariant=True)
"""What an engine made of the message, and its store keeps."""


class Status(StrEnum):
    """`failed` may be repeated by its sender; `abandoned` not: the conversation has gone on."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Message:
    """What a person said. `fingerprint` tells a repeated request from a reused id."""

    user_id: UUID
    conversation_id: UUID | None
    client_message_id: str
    fingerprint: str
    text: str


@dataclass(frozen=True)
class Turn:
    """One turn as stored.

    `epoch` counts its claims: 1, then one more for each repetition after a
    failure. `reply` is what its sender gets, once it is completed.
    """

    id: UUID
    conversation_id: UUID
    sequence: int
    fingerprint: str
    status: Status
    epoch: int
    lease_expires_at: datetime | None
    reply: Mapping[str, Any] | None = None

    def holds_conversation(self, now: datetime) -> bool:
        """Whether a live process is answering it."""
        return (
            self.status is Status.RUNNING
            and self.lease_expires_at is not None
            and self.lease_expires_at > now
        )


@dataclass(frozen=True)
class Sight(Generic[Place]):
    """The conversation: this very turn if it was claimed before, the newest turn, then the place.

    A store may read them one after the other, in this order, without a
    snapshot: whatever happens in between makes the write that follows fail.
    """

    place: Place
    same: Turn | None
    last: Turn | None


class TurnStore(Protocol[Place, Result_contra]):
    """Where turns are kept. Every write is conditional and atomic; None or False says "others were faster".

    The store keeps three promises: one running turn in a conversation, one
    turn with a sequence number, one turn with a client_message_id.
    """

    def look(self, message: Message) -> Sight[Place]:
        """Raises NotFound when the conversation isn't this person's."""

    def begin(self, message: Message, place: Place, sequence: int, risk: Risk | None) -> Turn | None:
        """Store the words, the risk found in them and the lease in one write."""

    def take_over(self, turn: Turn) -> Turn | None:
        """Claim a failed or expired turn again, with the next epoch."""

    def complete(self, turn: Turn, place: Place, result: Result_contra) -> Turn | None:
        """Store the answer and everything it changes in one write, if the lease is still this epoch's."""

    def fail(self, turn: Turn) -> bool:
        """Give the lease back without an answer, if it is still this epoch's."""

    def abandon(self, turn: Turn) -> bool:
        """Close a failed or expired turn for good, because the conversation goes on."""

    def expired(self, limit: int) -> list[Turn]:
        """Running turns whose lease has run out."""


class Engine(Protocol[Place, Result_co]):
    """What makes answers of one kind of conversation."""

    def admit(self, place: Place) -> Place:
        """Raise when this may not be said here and now; nothing is stored then."""

    def answer(self, message: Message, place: Place, risk: Risk | None) -> Result_co:
        """Make the answer. Holds no session and no lock, and is done well within the lease."""
