"""Types of the turn protocol, and the interfaces of a turn store and an engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Literal, Protocol, TypeVar
from uuid import UUID

from cogniflow_kit.ids import utc_now

LEASE = timedelta(seconds=30)
"""How long a claimed turn holds its conversation, unless the engine renews the lease."""

Conversation = TypeVar("Conversation")
"""What the store reads of a conversation and the engine needs: its course, or its state."""
Analysis = TypeVar("Analysis")
"""What the engine finds in the message before the claim: a risk, an intent."""
Analysis_contra = TypeVar("Analysis_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)
Result_contra = TypeVar("Result_contra", contravariant=True)
"""What the engine returns and its store stores."""
Reply = TypeVar("Reply")
"""The part of the result that the sender gets, also for a repeated message."""


class Status(StrEnum):
    """A `failed` turn can be sent again; an `abandoned` one can't, since a later turn exists."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Message:
    """One message of a person.

    `fingerprint` is a hash of the request body: it tells a repeated request
    from a reused id. `recording_ref` is the client's reference to the
    recording of a voice message.
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
class Turn(Generic[Reply]):
    """One turn.

    `epoch` counts its claims: 1, then one more for each repetition after a
    failure. `reply` is None until the turn is completed.
    """

    id: UUID
    conversation_id: UUID
    sequence: int
    fingerprint: str
    status: Status
    epoch: int
    lease_expires_at: datetime | None
    reply: Reply | None = None

    def holds_conversation(self, now: datetime) -> bool:
        """Whether the turn is running under a lease that hasn't expired."""
        return (
            self.status is Status.RUNNING
            and self.lease_expires_at is not None
            and self.lease_expires_at > now
        )


@dataclass(frozen=True)
class ClaimView(Generic[Conversation, Reply]):
    """What a store shows before a claim.

    `repeated` is the turn with the message's id, if there is one; `newest` is
    the newest turn of the conversation. A store may read them one after the
    other, in this order, without a snapshot: any change in between makes the
    write that follows fail.
    """

    conversation: Conversation
    repeated: Turn[Reply] | None
    newest: Turn[Reply] | None


class TurnStore(Protocol[Conversation, Analysis_contra, Result_contra, Reply]):
    """Stores turns. Every write is conditional and atomic; it returns None or False when another was first.

    The store guarantees that a conversation has at most one running turn, one
    turn with a sequence number, and one turn with a client_message_id.
    """

    def view(self, message: Message) -> ClaimView[Conversation, Reply]:
        """Raises: NotFound (the conversation isn't this person's)."""

    def claim_turn(
        self, message: Message, conversation: Conversation, sequence: int, analysis: Analysis_contra
    ) -> Turn[Reply] | None:
        """Store message, analysis and lease in one write.

        A failed or expired turn before it becomes `abandoned`.
        """

    def reclaim(self, turn: Turn[Reply]) -> Turn[Reply] | None:
        """Claim a failed or expired turn again, with the next epoch."""

    def renew(self, turn: Turn[Reply]) -> bool:
        """Restart the lease, if this epoch still has it."""

    def complete(
        self, turn: Turn[Reply], conversation: Conversation, result: Result_contra
    ) -> Turn[Reply] | None:
        """Store the result and everything it changes in one write, if this epoch still has the lease."""

    def fail(self, turn: Turn[Reply]) -> bool:
        """Release the lease without an answer, if this epoch still has it."""

    def expired(self, limit: int) -> list[Turn[Reply]]:
        """Running turns whose lease has expired."""


class Engine(Protocol[Conversation, Analysis, Result_co]):
    """Answers the messages of one kind of conversation."""

    def admit(self, conversation: Conversation, /) -> Conversation:
        """Raise an error when the conversation takes no message now; nothing is stored then."""

    def analyze(self, message: Message, conversation: Conversation, /) -> Analysis:
        """Analyze the message before it is stored: the safety check, the intent."""

    def answer(
        self, message: Message, conversation: Conversation, analysis: Analysis, renew: Callable[[], None], /
    ) -> Result_co:
        """Make the answer, without a database session or a lock.

        Calls `renew` before each step that may be slow. Raises:
        TurnInProgress (the lease was lost; the answer is dropped).
        """
