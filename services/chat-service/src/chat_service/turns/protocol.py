"""The turn protocol: claim, answer, complete; and the reaper for turns whose process died.

The running turn is the lease: a store holds at most one in a conversation.
Whoever stores it owns the conversation until the turn ends or its lease runs
out. Every later write names the epoch of that claim, so a process that was
stopped and wakes up late can't write over its successor.

1. Claim. The message is stored before anything is made of it. A repeated
   `client_message_id` gives the stored turn; with another body it is refused.
   A message while another is being answered is refused at once, with 409 and
   Retry-After: no thread waits, and the sender's order stays theirs.
2. Answer. The engine works with no database session and no lock.
3. Complete. Answer, state and outgoing fact in one write, fenced by the epoch.
4. A turn that broke off is `failed`. Only its sender's own repetition makes
   the answer anew, never the reaper; another message closes it instead.
"""

from typing import TypeVar

from chat_service.faults import reach
from chat_service.safety.check import check
from chat_service.turns.errors import MessageIdReused, TurnAbandoned, TurnInProgress
from chat_service.turns.model import Engine, Message, Sight, Status, Turn, TurnStore
from cogniflow_kit.ids import utc_now

Place = TypeVar("Place")
Result = TypeVar("Result")

CLAIM_ATTEMPTS = 5
REAP_BATCH = 200


def take_turn(store: TurnStore[Place, Result], engine: Engine[Place, Result], message: Message) -> Turn:
    """Have the message answered once, however often it is sent. Returns the completed turn.

    Raises TurnInProgress, MessageIdReused, TurnAbandoned and whatever the
    store's look or the engine refuses with.
    """
    place, turn = _claim(store, engine, message)
    if turn.status is Status.COMPLETED:
        return turn
    reach("claimed")

    try:
        result = engine.answer(message, place, check(message.text))
    except Exception:
        store.fail(turn)
        raise
    reach("answered")

    completed = store.complete(turn, place, result)
    if completed is None:
        return _finished_by_another(store, message, turn)
    reach("completed")
    return completed


def reap(store: TurnStore[Place, Result]) -> int:
    """Fail the turns whose process died, so that everyone sees they weren't answered. Returns how many."""
    return sum(store.fail(turn) for turn in store.expired(REAP_BATCH))


def _claim(
    store: TurnStore[Place, Result], engine: Engine[Place, Result], message: Message
) -> tuple[Place, Turn]:
    """The turn, running and ours, or completed before."""
    for _ in range(CLAIM_ATTEMPTS):
        sight = store.look(message)
        if sight.same is not None and _is_answered(sight.same, message):
            return sight.place, sight.same
        _refuse_while_running(sight)
        place = engine.admit(sight.place)
        turn = (
            _claim_again(store, sight)
            if sight.same is not None
            else _claim_next(store, message, place, sight)
        )
        if turn is not None:
            return place, turn
    raise TurnInProgress


def _is_answered(same: Turn, message: Message) -> bool:
    if same.fingerprint != message.fingerprint:
        raise MessageIdReused
    return same.status is Status.COMPLETED


def _refuse_while_running(sight: Sight[Place]) -> None:
    if sight.last is not None and sight.last.holds_conversation(utc_now()):
        raise TurnInProgress


def _claim_again(store: TurnStore[Place, Result], sight: Sight[Place]) -> Turn | None:
    same, last = sight.same, sight.last
    assert same is not None
    assert last is not None
    if same.status is Status.ABANDONED:
        raise TurnAbandoned
    if same.sequence != last.sequence:
        return None  # seen at two moments: it has been completed or abandoned since
    return store.take_over(same)


def _claim_next(
    store: TurnStore[Place, Result], message: Message, place: Place, sight: Sight[Place]
) -> Turn | None:
    last = sight.last
    if last is not None and last.status in (Status.RUNNING, Status.FAILED) and not store.abandon(last):
        return None
    sequence = last.sequence + 1 if last is not None else 1
    return store.begin(message, place, sequence, check(message.text))


def _finished_by_another(store: TurnStore[Place, Result], message: Message, ours: Turn) -> Turn:
    """Our lease ran out while we answered: give what a repetition made of it, if it is done."""
    store.fail(ours)
    same = store.look(message).same
    if same is not None and same.status is Status.COMPLETED:
        return same
    raise TurnInProgress
