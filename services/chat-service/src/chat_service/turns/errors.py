"""Errors of the turn protocol."""

from cogniflow_kit.errors import Conflict, Unavailable

RETRY_AFTER_S = 1


class TurnInProgress(Conflict):
    """Another message of the conversation, or the same one, is being answered."""

    code = "turn_in_progress"

    def __init__(self) -> None:
        super().__init__(
            "A message in this conversation is being answered; send this one again in a second.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )


class MessageIdReused(Conflict):
    code = "message_id_reused"

    def __init__(self) -> None:
        super().__init__("This client_message_id was used for another message; give each message its own.")


class TurnAbandoned(Conflict):
    """A later turn exists; the message stays stored without an answer."""

    code = "turn_abandoned"

    def __init__(self) -> None:
        super().__init__(
            "This message was not answered and the conversation has gone on; send it as a new message."
        )


class TurnsWaiting(Unavailable):
    """Turns of the conversation wait in the spool."""

    def __init__(self) -> None:
        super().__init__("What was said here is still being stored; try again shortly.")
