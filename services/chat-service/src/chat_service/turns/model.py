"""What the turn protocol handles, and what it asks of a store and of an engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Literal, Protocol, TypeVar
from uuid import UUID

from cogniflow_kit.ids import utc_now

LEASE = timedelta(seconds=30)
"""How long a claimed turn keeps its conversation to itself, unless the engine renews it."""

Conversation = TypeVar("Conversation")
"""What the store knows of the conversation and the engine needs: its course, or its state."""
Analysis = TypeVar("Analysis")
"""What the engine found in the message at the claim: a risk, an intent."""
Analysis_contra = TypeVar("Analysis_contra", contravariant=True)
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
    """What a person said, and when.

    `fingerprint` tells a repeated request from a reused id; `recording_ref`
    says where the client keeps the recording of a spoken message.
    """

    user_id: UUID
    conversation_id: UUID | None
    client_message_id: str
    fingerprint: str
    text: str
    said_at: datetime = field(default_factory=utc_now)
    message_type: Literal["text", "voice"] = "text"
    recording_ref: str | None = None


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
class ClaimView(Generic[Conversation]):
    """The conversation: this very turn if it was claimed before, the newest turn, then the place.

    A store may read them one after the other, in this order, without a
    snapshot: whatever happens in between makes the write that follows fail.
    """

    conversation: Conversation
    repeated: Turn | None
    newest: Turn | None


class TurnStore(Protocol[Conversation, Analysis_contra, Result_contra]):
    """Where turns are kept. Every write is conditional and atomic; None or False says "others were faster".

    The store keeps three promises: one running turn in a conversation, one
    turn with a sequence number, one turn with a client_message_id.
    """

    def view(self, message: Message) -> ClaimView[Conversation]:
        """Raises NotFound when the conversation isn't this person's."""

    def claim_turn(
        self, message: Message, conversation: Conversation, sequence: int, analysis: Analysis_contra
    ) -> Turn | None:
        """Store the words, what was found in them and the lease, in one write.

        A failed or expired turn before it is closed for good, because the
        conversation goes on.
        """

    def reclaim(self, turn: Turn) -> Turn | None:
        """Claim a failed or expired turn again, with the next epoch."""

    def renew(self, turn: Turn) -> bool:
        """Let the lease begin anew, if it is still this epoch's."""

    def complete(self, turn: Turn, conversation: Conversation, result: Result_contra) -> Turn | None:
        """Store the answer and everything it changes in one write, if the lease is still this epoch's."""

    def fail(self, turn: Turn) -> bool:
        """Give the lease back without an answer, if it is still this epoch's."""

    def expired(self, limit: int) -> list[Turn]:
        """Running turns whose lease has run out."""


class Engine(Protocol[Conversation, Analysis, Result_co]):
    """What makes answers of one kind of conversation."""

    def admit(self, conversation: Conversation, /) -> Conversation:
        """Raise when this may not be said here and now; nothing is stored then."""

    def analyze(self, message: Message, conversation: Conversation, /) -> Analysis:
        """What is found in the words before they are stored: the safety check, the intent."""

    def answer(
        self, message: Message, conversation: Conversation, analysis: Analysis, renew: Callable[[], None], /
    ) -> Result_co:
        """Make the answer. Holds no session and no lock.

        Calls `renew` before each step that may be slow; it raises
        TurnInProgress when the lease was lost, and the answer with it.
        """
