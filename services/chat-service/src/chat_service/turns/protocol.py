"""The turn protocol: claim, answer, complete; and the reaper for turns whose process died.

The running turn is the lease: a store holds at most one in a conversation.
Whoever stores it owns the conversation until the turn ends or its lease runs
out. Every later write names the epoch of that claim, so a process that was
stopped and wakes up late can't write over its successor.

1. Claim. The message is stored before anything is made of it. A repeated
   `client_message_id` gives the stored turn; with another body it is refused.
   A message while another is being answered is refused at once, with 409 and
   Retry-After: no thread waits, and the sender's order stays theirs.
2. Answer. The engine works with no database session and no lock, and renews
   the lease before each step that may be slow.
3. Complete. Answer, state and outgoing fact in one write, fenced by the epoch.
4. A turn that broke off is `failed`. Only its sender's own repetition makes
   the answer anew, never the reaper; another message closes it instead.
"""

from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from chat_service.fault_points import reach
from chat_service.turns.errors import MessageIdReused, TurnAbandoned, TurnInProgress
from chat_service.turns.model import ClaimView, Engine, Message, Status, Turn, TurnStore
from cogniflow_kit.ids import utc_now

Conversation = TypeVar("Conversation")
Analysis = TypeVar("Analysis")
Result = TypeVar("Result")

CLAIM_ATTEMPTS = 5
REAP_BATCH = 200


def run_turn(
    store: TurnStore[Conversation, Analysis, Result],
    engine: Engine[Conversation, Analysis, Result],
    message: Message,
) -> Turn:
    """Have the message answered once, however often it is sent. Returns the completed turn.

    Raises TurnInProgress, MessageIdReused, TurnAbandoned and whatever the
    store's look or the engine refuses with.
    """
    claim = _claim(store, engine, message)
    turn = claim.turn
    if turn.status is Status.COMPLETED:
        return turn
    assert claim.analysis is not None, "read before it was claimed"
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


def reap(store: TurnStore[Conversation, Analysis, Result]) -> int:
    """Fail the turns whose process died, so that everyone sees they weren't answered. Returns how many."""
    return sum(store.fail(turn) for turn in store.expired(REAP_BATCH))


@dataclass(frozen=True)
class _Claim(Generic[Conversation, Analysis]):
    """The turn, running and ours, or completed before and then without a reading."""

    conversation: Conversation
    turn: Turn
    analysis: Analysis | None = None


def _claim(
    store: TurnStore[Conversation, Analysis, Result],
    engine: Engine[Conversation, Analysis, Result],
    message: Message,
) -> _Claim[Conversation, Analysis]:
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


def _is_answered(same: Turn, message: Message) -> bool:
    if same.fingerprint != message.fingerprint:
        raise MessageIdReused
    return same.status is Status.COMPLETED


def _refuse_while_running(claim_view: ClaimView[Conversation]) -> None:
    if claim_view.newest is not None and claim_view.newest.holds_conversation(utc_now()):
        raise TurnInProgress


def _claim_again(
    store: TurnStore[Conversation, Analysis, Result], claim_view: ClaimView[Conversation]
) -> Turn | None:
    same, last = claim_view.repeated, claim_view.newest
    assert same is not None
    assert last is not None
    if same.status is Status.ABANDONED:
        raise TurnAbandoned
    if same.sequence != last.sequence:
        return None  # seen at two moments: it has been completed or abandoned since
    return store.reclaim(same)


def _claim_next(
    store: TurnStore[Conversation, Analysis, Result],
    message: Message,
    conversation: Conversation,
    claim_view: ClaimView[Conversation],
    analysis: Analysis,
) -> Turn | None:
    last = claim_view.newest
    sequence = last.sequence + 1 if last is not None else 1
    return store.claim_turn(message, conversation, sequence, analysis)


def _renew(store: TurnStore[Conversation, Analysis, Result], turn: Turn) -> None:
    if not store.renew(turn):
        raise TurnInProgress


def _finished_by_another(
    store: TurnStore[Conversation, Analysis, Result], message: Message, ours: Turn
) -> Turn:
    """Our lease ran out while we answered: give what a repetition made of it, if it is done."""
    store.fail(ours)
    same = store.view(message).repeated
    if same is not None and same.status is Status.COMPLETED:
        return same
    raise TurnInProgress
