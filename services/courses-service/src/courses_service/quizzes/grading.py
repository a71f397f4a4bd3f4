"""Grades the answers of one attempt. Pure functions over domain types; reads and writes no store."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from courses_service.quizzes.errors import AnswerNotInQuiz


@dataclass(frozen=True)
class KeyChoice:
    """A choice with what the answer key says about it. `feedback` is HTML for learners who chose it."""

    id: UUID
    is_correct: bool
    feedback: str


@dataclass(frozen=True)
class KeyQuestion:
    """A question of the answer key. `kind` is `single` or `multiple`."""

    id: UUID
    kind: str
    explanation: str
    choices: tuple[KeyChoice, ...]


@dataclass(frozen=True)
class GivenAnswer:
    """The choices that the learner made in one question."""

    question_id: UUID
    choice_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class GivenFeedback:
    """The author's feedback on one choice that the learner made."""

    choice_id: UUID
    feedback: str


@dataclass(frozen=True)
class GradedQuestion:
    """The result of one question. It is correct if the learner chose all correct choices and no other."""

    question_id: UUID
    correct: bool
    chosen_ids: tuple[UUID, ...]
    correct_ids: tuple[UUID, ...]
    feedback: tuple[GivenFeedback, ...]
    explanation: str


def grade(key: Sequence[KeyQuestion], answers: Sequence[GivenAnswer]) -> tuple[GradedQuestion, ...]:
    """Grade each question of the quiz; a question without an answer is wrong. Raises: AnswerNotInQuiz."""
    chosen = {answer.question_id: answer.choice_ids for answer in answers}
    if len(chosen) != len(answers):
        raise AnswerNotInQuiz("A question is answered twice.")
    if not chosen.keys() <= {question.id for question in key}:
        raise AnswerNotInQuiz("An answer names a question that isn't in this quiz.")
    return tuple(_grade_question(question, chosen.get(question.id, ())) for question in key)


def _grade_question(question: KeyQuestion, chosen: tuple[UUID, ...]) -> GradedQuestion:
    if len(set(chosen)) != len(chosen):
        raise AnswerNotInQuiz("A choice is made twice.")
    if not set(chosen) <= {choice.id for choice in question.choices}:
        raise AnswerNotInQuiz("An answer names a choice that isn't in its question.")
    if question.kind == "single" and len(chosen) > 1:
        raise AnswerNotInQuiz("A question with one answer was given several.")
    correct_ids = tuple(choice.id for choice in question.choices if choice.is_correct)
    return GradedQuestion(
        question_id=question.id,
        correct=set(chosen) == set(correct_ids),
        chosen_ids=chosen,
        correct_ids=correct_ids,
        feedback=tuple(
            GivenFeedback(choice.id, choice.feedback)
            for choice in question.choices
            if choice.id in chosen and choice.feedback
        ),
        explanation=question.explanation,
    )
