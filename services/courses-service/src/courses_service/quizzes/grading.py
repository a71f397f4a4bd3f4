"""Grades answers. Pure: the key and the answers come in, results go out."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from courses_service.quizzes.errors import AnswerNotInQuiz
from courses_service.quizzes.schemas import Answer, ChoiceFeedback, QuestionResult


@dataclass(frozen=True)
class KeyChoice:
    id: UUID
    is_correct: bool
    feedback: str


@dataclass(frozen=True)
class KeyQuestion:
    id: UUID
    kind: str
    explanation: str
    choices: tuple[KeyChoice, ...]


def grade(key: Sequence[KeyQuestion], answers: Sequence[Answer]) -> list[QuestionResult]:
    """A result for each question of the quiz; one that wasn't answered is wrong."""
    chosen = {answer.question_id: answer.choice_ids for answer in answers}
    if len(chosen) != len(answers):
        raise AnswerNotInQuiz("A question is answered twice.")
    if not chosen.keys() <= {question.id for question in key}:
        raise AnswerNotInQuiz("An answer names a question that isn't in this quiz.")
    return [_grade_question(question, chosen.get(question.id, [])) for question in key]


def _grade_question(question: KeyQuestion, chosen: list[UUID]) -> QuestionResult:
    if len(set(chosen)) != len(chosen):
        raise AnswerNotInQuiz("A choice is made twice.")
    if not set(chosen) <= {choice.id for choice in question.choices}:
        raise AnswerNotInQuiz("An answer names a choice that isn't in its question.")
    if question.kind == "single" and len(chosen) > 1:
        raise AnswerNotInQuiz("A question with one answer was given several.")
    right = [choice.id for choice in question.choices if choice.is_correct]
    return QuestionResult(
        question_id=question.id,
        correct=set(chosen) == set(right),
        chosen_ids=chosen,
        correct_ids=right,
        feedback=[
            ChoiceFeedback(choice_id=choice.id, feedback=choice.feedback)
            for choice in question.choices
            if choice.id in chosen and choice.feedback
        ],
        explanation=question.explanation,
    )
