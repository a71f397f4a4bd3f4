"""Refusals of the quiz routes."""

from cogniflow_kit.errors import Conflict, Unprocessable


class AttemptIdReused(Conflict):
    code = "attempt_id_reused"


class AttemptInFlight(Conflict):
    code = "attempt_in_flight"


class AnswerNotInQuiz(Unprocessable):
    """An answer that names a question or choice the quiz doesn't have, or too many of them."""

    code = "answer_not_in_quiz"
