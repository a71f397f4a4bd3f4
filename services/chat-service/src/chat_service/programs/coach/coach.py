"""What the coach says to an answer: a function of the program, the state, the answer and its judge.

Somebody may want to skip, to have the question explained or to pause. Else
validation asks for what is missing, until the question's attempts are used
up; then, or when nothing is missing, the answer is classified, the
scenario's text answers it, a follow-up may ask one thing more, and the next
question comes.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from chat_service.programs.coach.context import CoachContext
from chat_service.programs.coach.intents import Intent
from chat_service.programs.coach.judging import Classification, Judge, Validation, choice_in
from chat_service.programs.coach.phrases import phrases
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import SKIPPED, Prompt, Question
from chat_service.safety.detection.check import Resource, Risk, resources, supportive_answer


class CoachReply(BaseModel):
    """What one message leads to.

    An `answer` counts as an attempt, a `skip` completes its question without
    one. An `aside` (a question about the question, a pause, words that show
    somebody in danger) changes nothing; `restarts` is the number of a week
    that is begun anew. `answered_by` a `model`, or `rules`, with the reason
    in `fallback` where a model should have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["answer", "skip", "aside", "restart"]
    answer: str
    intent: Intent
    iteration: int
    state: WeekAnswers
    response: str
    prompt: Prompt | None = None
    validation: Validation | None = None
    classification: Classification | None = None
    resources: list[Resource] = []
    restarts: int | None = None
    answered_by: Literal["rules", "model"] = "rules"
    fallback: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it is an attempt at the question."""
        return self.kind == "answer"

    def completes(self, question: Question) -> bool:
        return self.kind in ("answer", "skip") and self.state.is_completed(question.question_number)

    def scenario(self, question: Question) -> str | None:
        return self.state.scenario_of(question.question_number)


def respond(standing: CoachContext, answer: str, intent: Intent, judge: Judge) -> CoachReply:
    """The coach's step from here."""
    if intent.kind in ("clarify", "pause") or (intent.kind == "skip" and not standing.question.skippable):
        return _aside(standing, answer, intent)
    if standing.state.awaits_followup(standing.question.question_number):
        return _close_followup(standing, answer, intent, judge)
    if intent.kind == "skip":
        return _skip(standing, answer, intent)
    return _weigh(standing, answer, intent, judge)


def support(standing: CoachContext, answer: str, intent: Intent, risk: Risk) -> CoachReply:
    """A supportive answer while somebody may be in danger: places first; the question stays where it is."""
    said = phrases(standing.locale).says["support_continues"]
    return CoachReply(
        kind="aside",
        answer=answer,
        intent=intent,
        iteration=standing.iteration,
        state=standing.state,
        response=f"{supportive_answer(standing.locale, risk)}\n\n{said}",
        resources=resources(standing.locale),
    )


def restart(standing: CoachContext, week_number: int, words: str) -> CoachReply:
    """A week from its first question again. What was said in it before stays in the record."""
    return CoachReply(
        kind="restart",
        answer=words,
        intent=Intent(kind="restart"),
        iteration=standing.iteration,
        state=standing.state,
        response="",
        restarts=week_number,
    )


def _aside(standing: CoachContext, answer: str, intent: Intent) -> CoachReply:
    question = standing.question
    explains = intent.kind == "clarify" and not standing.state.awaits_followup(question.question_number)
    prompt = question.prompt("clarify_respond") if explains else None
    return CoachReply(
        kind="aside",
        answer=answer,
        intent=intent,
        iteration=standing.iteration,
        state=standing.state,
        response=standing.text(prompt.response_text) if prompt else _own_words(standing, intent),
        prompt=prompt,
    )


def _own_words(standing: CoachContext, intent: Intent) -> str:
    said = standing.phrases.says
    if intent.kind == "clarify":
        return said["clarify"].replace("{question}", standing.text(_open_text(standing)))
    return said["pause" if intent.kind == "pause" else "not_skippable"]


def _open_text(standing: CoachContext) -> str:
    followup = standing.question.prompt("followup")
    if followup is not None and standing.state.awaits_followup(standing.question.question_number):
        return followup.response_text
    return standing.question.question_text


def _skip(standing: CoachContext, answer: str, intent: Intent) -> CoachReply:
    question, number = standing.question, standing.question.question_number
    prompt = question.prompt("skip_respond")
    response = standing.text(prompt.response_text) if prompt else standing.phrases.says["skipped"]
    state = standing.state.with_scenario(number, SKIPPED).with_response(number, response, completed=True)
    return CoachReply(
        kind="skip",
        answer=answer,
        intent=intent,
        iteration=standing.iteration,
        state=state,
        response=response,
        prompt=prompt,
    )


def _weigh(standing: CoachContext, answer: str, intent: Intent, judge: Judge) -> CoachReply:
    question, number = standing.question, standing.question.question_number
    state = standing.state.with_answer(number, answer)
    chosen = choice_in(question, answer) if question.choices else None
    if chosen is not None:
        state = state.with_chosen(number, chosen)
    validation = judge.validate(standing, state)
    ask = validation.ask if validation is not None and not validation.complete else None
    if ask is None or state.iterations(number) >= question.max_iterations:
        return _answer_by_scenario(standing, state, answer, intent, validation, judge)
    return CoachReply(
        kind="answer",
        answer=answer,
        intent=intent,
        iteration=standing.iteration,
        state=state.with_response(number, ask, completed=False),
        response=ask,
        prompt=question.prompt("validation"),
        validation=validation,
    )


def _answer_by_scenario(
    standing: CoachContext,
    state: WeekAnswers,
    answer: str,
    intent: Intent,
    validation: Validation | None,
    judge: Judge,
) -> CoachReply:
    question, number = standing.question, standing.question.question_number
    if question.keeps is not None:
        state = state.with_choice(question.keeps, state.spoken_answers()[number])
    found = judge.classify(standing, state)
    state = state.with_scenario(number, found.prompt.scenario_name or "")
    followup = question.prompt("followup")
    spoken = [judge.speak(standing, state, found.prompt)]
    if followup is not None:
        spoken.append(standing.text(followup.response_text, state))
    response = "\n\n".join(spoken)
    return CoachReply(
        kind="answer",
        answer=answer,
        intent=intent,
        iteration=standing.iteration,
        state=state.with_response(number, response, completed=followup is None),
        response=response,
        prompt=found.prompt,
        validation=validation,
        classification=found,
    )


def _close_followup(standing: CoachContext, answer: str, intent: Intent, judge: Judge) -> CoachReply:
    """The question is done with. Somebody who skips the follow-up keeps their answer to the question."""
    number = standing.question.question_number
    prompt = standing.question.prompt("followup_respond")
    assert prompt is not None, "publishing checks that a follow-up has its response"
    state = standing.state
    if intent.kind == "skip":
        prompt, response = None, standing.phrases.says["skipped"]
    else:
        state = state.with_followup(number, answer)
        response = judge.speak(standing, state, prompt)
    return CoachReply(
        kind="answer",
        answer=answer,
        intent=intent,
        iteration=standing.iteration,
        state=state.with_response(number, response, completed=True),
        response=response,
        prompt=prompt,
    )
