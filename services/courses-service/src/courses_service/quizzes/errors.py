"""Errors of the quiz routes."""

from cogniflow_kit.errors import Conflict, Unprocessable


class AttemptIdReused(Conflict):
    """The `client_attempt_id` belongs to a stored attempt with other answers, or at another quiz."""

    code = "attempt_id_reused"

    def __init__(self) -> None:
        super().__init__("This client_attempt_id was used for other answers.")


class AttemptInFlight(Conflict):
    """Another request with the same `client_attempt_id` is storing its attempt."""

    code = "attempt_in_flight"

    def __init__(self) -> None:
        super().__init__("The first request with this client_attempt_id is still running.")


class AnswerNotInQuiz(Unprocessable):
    """An answer names an unknown question or choice, or repeats one; the message says which."""

    code = "answer_not_in_quiz"
