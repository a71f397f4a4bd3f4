"""The turn protocol: claim, answer, complete; and the reaper for turns whose process died.

A running turn is a lease: a store holds at most one in a conversation. The
process that stored it owns the conversation until the turn ends or the lease
expires. Every later write names the epoch of the claim, so a process that
was stopped and resumes late can't overwrite its successor.

1. Claim. The message is stored before it is answered. A repeated
   `client_message_id` returns the stored turn; with another body it is
   refused. While another message is being answered, a message is refused with
   409 and Retry-After: no thread waits, and the sender keeps the order.
2. Answer. The engine works without a database session or a lock, and renews
   the lease before each step that may be slow.
3. Complete. Answer, state and outgoing event in one write, fenced by the epoch.
4. A turn that broke off is `failed`. Only a repetition by its sender answers
   it again, never the reaper; another message makes it `abandoned`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from chat_service.fault_points import reach
from chat_service.turns.errors import MessageIdReused, TurnAbandoned, TurnInProgress
from chat_service.turns.model import ClaimView, Engine, Message, Reply, Status, Turn, TurnStore
from cogniflow_kit.ids import utc_now

Conversation = TypeVar("Conversation")
Analysis = TypeVar("Analysis")
Result = TypeVar("Result")

CLAIM_ATTEMPTS = 5
REAP_BATCH = 200


def run_turn(
    store: TurnStore[Conversation, Analysis, Result, Reply],
    engine: Engine[Conversation, Analysis, Result],
    message: Message,
) -> Turn[Reply]:
    """Process one message exactly once; a repetition returns the stored turn. Returns the completed turn.

    Raises: TurnInProgress (retry after `Retry-After`), MessageIdReused,
    TurnAbandoned, and the errors of the store's `view` and of the engine.
    """
    claim = _claim(store, engine, message)
    turn = claim.turn
    if turn.status is Status.COMPLETED:
        return turn
    assert claim.analysis is not None, "a message is analyzed before its turn is claimed"
    reach("claimed")

    try:
        result = engine.answer(message, claim.conversation, claim.analysis, partial(_renew, store, turn))
    except Exception:
        store.fail(turn)
        raise
    reach("answered")

    completed = store.complete(turn, claim.conversation, result)
    if completed is None:
        return _finished_by_another(store, message, turn)
    reach("completed")
    return completed


def reap(store: TurnStore[Conversation, Analysis, Result, Reply]) -> int:
    """Mark the turns whose process died as failed. Returns their number."""
    return sum(store.fail(turn) for turn in store.expired(REAP_BATCH))


@dataclass(frozen=True)
class _Claim(Generic[Conversation, Analysis, Reply]):
    """A turn that this process claimed, or one completed before, which has no analysis."""

    conversation: Conversation
    turn: Turn[Reply]
    analysis: Analysis | None = None


def _claim(
    store: TurnStore[Conversation, Analysis, Result, Reply],
    engine: Engine[Conversation, Analysis, Result],
    message: Message,
) -> _Claim[Conversation, Analysis, Reply]:
    for _ in range(CLAIM_ATTEMPTS):
        claim_view = store.view(message)
        if claim_view.repeated is not None and _is_answered(claim_view.repeated, message):
            return _Claim(claim_view.conversation, claim_view.repeated)
        _refuse_while_running(claim_view)
        conversation = engine.admit(claim_view.conversation)
        analysis = engine.analyze(message, conversation)
        turn = (
            _claim_again(store, claim_view)
            if claim_view.repeated is not None
            else _claim_next(store, message, conversation, claim_view, analysis)
        )
        if turn is not None:
            return _Claim(conversation, turn, analysis)
    raise TurnInProgress


def _is_answered(same: Turn[Reply], message: Message) -> bool:
    if same.fingerprint != message.fingerprint:
        raise MessageIdReused
    return same.status is Status.COMPLETED


def _refuse_while_running(claim_view: ClaimView[Conversation, Reply]) -> None:
    if claim_view.newest is not None and claim_view.newest.holds_conversation(utc_now()):
        raise TurnInProgress


def _claim_again(
    store: TurnStore[Conversation, Analysis, Result, Reply], claim_view: ClaimView[Conversation, Reply]
) -> Turn[Reply] | None:
    same, last = claim_view.repeated, claim_view.newest
    assert same is not None
    assert last is not None
    if same.status is Status.ABANDONED:
        raise TurnAbandoned
    if same.sequence != last.sequence:
        return None  # read at two moments: it has been completed or abandoned since
    return store.reclaim(same)


def _claim_next(
    store: TurnStore[Conversation, Analysis, Result, Reply],
    message: Message,
    conversation: Conversation,
    claim_view: ClaimView[Conversation, Reply],
    analysis: Analysis,
) -> Turn[Reply] | None:
    last = claim_view.newest
    sequence = last.sequence + 1 if last is not None else 1
    return store.claim_turn(message, conversation, sequence, analysis)


def _renew(store: TurnStore[Conversation, Analysis, Result, Reply], turn: Turn[Reply]) -> None:
    if not store.renew(turn):
        raise TurnInProgress


def _finished_by_another(
    store: TurnStore[Conversation, Analysis, Result, Reply], message: Message, ours: Turn[Reply]
) -> Turn[Reply]:
    """The lease expired during the answer: return the turn if a repetition has completed it."""
    store.fail(ours)
    same = store.view(message).repeated
    if same is not None and same.status is Status.COMPLETED:
        return same
    raise TurnInProgress
