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
from chat_service.safety.detection.risk import Risk
from chat_service.safety.help.places import Resource, resources, supportive_answer


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


def respond(context: CoachContext, answer: str, intent: Intent, judge: Judge) -> CoachReply:
    """The coach's step from here."""
    if intent.kind in ("clarify", "pause") or (intent.kind == "skip" and not context.question.skippable):
        return _aside(context, answer, intent)
    if context.state.awaits_followup(context.question.question_number):
        return _close_followup(context, answer, intent, judge)
    if intent.kind == "skip":
        return _skip(context, answer, intent)
    return _weigh(context, answer, intent, judge)


def support(context: CoachContext, answer: str, intent: Intent, risk: Risk) -> CoachReply:
    """A supportive answer while somebody may be in danger: places first; the question stays where it is."""
    said = phrases(context.locale).says["support_continues"]
    return CoachReply(
        kind="aside",
        answer=answer,
        intent=intent,
        iteration=context.iteration,
        state=context.state,
        response=f"{supportive_answer(context.locale, risk)}\n\n{said}",
        resources=resources(context.locale),
    )


def restart(context: CoachContext, week_number: int, words: str) -> CoachReply:
    """A week from its first question again. What was said in it before stays in the record."""
    return CoachReply(
        kind="restart",
        answer=words,
        intent=Intent(kind="restart"),
        iteration=context.iteration,
        state=context.state,
        response="",
        restarts=week_number,
    )


def _aside(context: CoachContext, answer: str, intent: Intent) -> CoachReply:
    question = context.question
    explains = intent.kind == "clarify" and not context.state.awaits_followup(question.question_number)
    prompt = question.prompt("clarify_respond") if explains else None
    return CoachReply(
        kind="aside",
        answer=answer,
        intent=intent,
        iteration=context.iteration,
        state=context.state,
        response=context.text(prompt.response_text) if prompt else _own_words(context, intent),
        prompt=prompt,
    )


def _own_words(context: CoachContext, intent: Intent) -> str:
    said = context.phrases.says
    if intent.kind == "clarify":
        return said["clarify"].replace("{question}", context.text(_open_text(context)))
    return said["pause" if intent.kind == "pause" else "not_skippable"]


def _open_text(context: CoachContext) -> str:
    followup = context.question.prompt("followup")
    if followup is not None and context.state.awaits_followup(context.question.question_number):
        return followup.response_text
    return context.question.question_text


def _skip(context: CoachContext, answer: str, intent: Intent) -> CoachReply:
    question, number = context.question, context.question.question_number
    prompt = question.prompt("skip_respond")
    response = context.text(prompt.response_text) if prompt else context.phrases.says["skipped"]
    state = context.state.with_scenario(number, SKIPPED).with_response(number, response, completed=True)
    return CoachReply(
        kind="skip",
        answer=answer,
        intent=intent,
        iteration=context.iteration,
        state=state,
        response=response,
        prompt=prompt,
    )


def _weigh(context: CoachContext, answer: str, intent: Intent, judge: Judge) -> CoachReply:
    question, number = context.question, context.question.question_number
    state = context.state.with_answer(number, answer)
    chosen = choice_in(question, answer) if question.choices else None
    if chosen is not None:
        state = state.with_chosen(number, chosen)
    validation = judge.validate(context, state)
    ask = validation.ask if validation is not None and not validation.complete else None
    if ask is None or state.iterations(number) >= question.max_iterations:
        return _answer_by_scenario(context, state, answer, intent, validation, judge)
    return CoachReply(
        kind="answer",
        answer=answer,
        intent=intent,
        iteration=context.iteration,
        state=state.with_response(number, ask, completed=False),
        response=ask,
        prompt=question.prompt("validation"),
        validation=validation,
    )


def _answer_by_scenario(
    context: CoachContext,
    state: WeekAnswers,
    answer: str,
    intent: Intent,
    validation: Validation | None,
    judge: Judge,
) -> CoachReply:
    question, number = context.question, context.question.question_number
    if question.keeps is not None:
        state = state.with_choice(question.keeps, state.spoken_answers()[number])
    found = judge.classify(context, state)
    state = state.with_scenario(number, found.prompt.scenario_name or "")
    followup = question.prompt("followup")
    spoken = [judge.speak(context, state, found.prompt)]
    if followup is not None:
        spoken.append(context.text(followup.response_text, state))
    response = "\n\n".join(spoken)
    return CoachReply(
        kind="answer",
        answer=answer,
        intent=intent,
        iteration=context.iteration,
        state=state.with_response(number, response, completed=followup is None),
        response=response,
        prompt=found.prompt,
        validation=validation,
        classification=found,
    )


def _close_followup(context: CoachContext, answer: str, intent: Intent, judge: Judge) -> CoachReply:
    """The question is done with. Somebody who skips the follow-up keeps their answer to the question."""
    number = context.question.question_number
    prompt = context.question.prompt("followup_respond")
    assert prompt is not None, "publishing checks that a follow-up has its response"
    state = context.state
    if intent.kind == "skip":
        prompt, response = None, context.phrases.says["skipped"]
    else:
        state = state.with_followup(number, answer)
        response = judge.speak(context, state, prompt)
    return CoachReply(
        kind="answer",
        answer=answer,
        intent=intent,
        iteration=context.iteration,
        state=state.with_response(number, response, completed=True),
        response=response,
        prompt=prompt,
    )
