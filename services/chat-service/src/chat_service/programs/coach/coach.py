"""Makes the coach's reply to one message: a function of context, message, intent and judge.

A message can skip the question, ask for an explanation, or pause. Any other
message is an answer. Validation asks for what is missing, until the
question's attempts are used up. Then the answer is classified, the
scenario's text responds to it, and a follow-up may ask one more question.
"""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from chat_service.programs.coach.context import CoachContext
from chat_service.programs.coach.intents import Intent
from chat_service.programs.coach.judging import ClassificationMethod, Judge, Validation, choice_in
from chat_service.programs.coach.phrases import phrases
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import SKIPPED, Prompt, Question
from chat_service.safety.detection.risk import Risk
from chat_service.safety.help.places import Resource, help_locale, resources, supportive_answer


@dataclass(frozen=True, kw_only=True)
class CoachReply:
    """What the coach answers to one message and the week's answers after it.

    `kind`: an `answer` counts as an attempt; a `skip` completes its question
    without one; an `aside` (explanation, pause, supportive reply) changes
    nothing; a `restart` begins the week numbered `restarts` again.
    `prompt_id` is the prompt that responded, `answered_by` says whether a
    `model` or the `rules` judged; `fallback` is the reason when the rules
    replaced a model.
    """

    kind: Literal["answer", "skip", "aside", "restart"]
    message_text: str
    intent: Intent
    iteration: int
    answers: WeekAnswers
    response: str
    prompt_id: UUID | None = None
    validation: Validation | None = None
    classification_method: ClassificationMethod | None = None
    classification_confidence: float | None = None
    resources: list[Resource] = field(default_factory=list)
    restarts: int | None = None
    answered_by: Literal["rules", "model"] = "rules"
    fallback: str | None = None

    @property
    def is_attempt(self) -> bool:
        """Whether it counts as an attempt at the question."""
        return self.kind == "answer"

    def completes(self, question: Question) -> bool:
        return self.kind in ("answer", "skip") and self.answers.is_completed(question.question_number)

    def scenario(self, question: Question) -> str | None:
        return self.answers.scenario_of(question.question_number)


def make_reply(context: CoachContext, message_text: str, intent: Intent, judge: Judge) -> CoachReply:
    if intent.kind in ("clarify", "pause") or (intent.kind == "skip" and not context.question.skippable):
        return _aside(context, message_text, intent)
    if context.state.awaits_followup(context.question.question_number):
        return _close_followup(context, message_text, intent, judge)
    if intent.kind == "skip":
        return _skip(context, message_text, intent)
    return _judge_answer(context, message_text, intent, judge)


def make_supportive_reply(context: CoachContext, message_text: str, intent: Intent, risk: Risk) -> CoachReply:
    """Answer a message that shows a risk: places to find help come first, the question stays open."""
    locale = help_locale(context.locale, risk)
    continues = phrases(locale).says["support_continues"]
    return CoachReply(
        kind="aside",
        message_text=message_text,
        intent=intent,
        iteration=context.iteration,
        answers=context.state,
        response=f"{supportive_answer(locale, risk)}\n\n{continues}",
        resources=resources(locale),
    )


def make_restart_reply(context: CoachContext, week_number: int, message_text: str) -> CoachReply:
    """Begin a week again at its first question. Its earlier messages and answers stay stored."""
    return CoachReply(
        kind="restart",
        message_text=message_text,
        intent=Intent(kind="restart"),
        iteration=context.iteration,
        answers=context.state,
        response="",
        restarts=week_number,
    )


def _aside(context: CoachContext, message_text: str, intent: Intent) -> CoachReply:
    question = context.question
    explains = intent.kind == "clarify" and not context.state.awaits_followup(question.question_number)
    prompt = question.prompt("clarify_respond") if explains else None
    return CoachReply(
        kind="aside",
        message_text=message_text,
        intent=intent,
        iteration=context.iteration,
        answers=context.state,
        response=context.text(prompt.response_text) if prompt else _fixed_text(context, intent),
        prompt_id=_id_of(prompt),
    )


def _fixed_text(context: CoachContext, intent: Intent) -> str:
    texts = context.phrases.says
    if intent.kind == "clarify":
        return texts["clarify"].replace("{question}", context.text(_open_text(context)))
    return texts["pause" if intent.kind == "pause" else "not_skippable"]


def _open_text(context: CoachContext) -> str:
    followup = context.question.prompt("followup")
    if followup is not None and context.state.awaits_followup(context.question.question_number):
        return followup.response_text
    return context.question.question_text


def _skip(context: CoachContext, message_text: str, intent: Intent) -> CoachReply:
    question, number = context.question, context.question.question_number
    prompt = question.prompt("skip_respond")
    response = context.text(prompt.response_text) if prompt else context.phrases.says["skipped"]
    state = context.state.with_scenario(number, SKIPPED).with_response(number, completed=True)
    return CoachReply(
        kind="skip",
        message_text=message_text,
        intent=intent,
        iteration=context.iteration,
        answers=state,
        response=response,
        prompt_id=_id_of(prompt),
    )


def _judge_answer(context: CoachContext, message_text: str, intent: Intent, judge: Judge) -> CoachReply:
    question, number = context.question, context.question.question_number
    state = context.state.with_answer(number, message_text)
    chosen = choice_in(question, message_text) if question.choices else None
    if chosen is not None:
        state = state.with_chosen(number, chosen)
    validation = judge.validate(context, state)
    ask = validation.ask if validation is not None and not validation.complete else None
    if ask is None or state.iterations(number) >= question.max_iterations:
        return _answer_by_scenario(context, state, message_text, intent, validation, judge)
    return CoachReply(
        kind="answer",
        message_text=message_text,
        intent=intent,
        iteration=context.iteration,
        answers=state.with_response(number, completed=False),
        response=ask,
        prompt_id=_id_of(question.prompt("validation")),
        validation=validation,
    )


def _answer_by_scenario(
    context: CoachContext,
    state: WeekAnswers,
    message_text: str,
    intent: Intent,
    validation: Validation | None,
    judge: Judge,
) -> CoachReply:
    question, number = context.question, context.question.question_number
    if question.keeps is not None:
        state = state.with_choice(question.keeps, state.answer_texts()[number])
    found = judge.classify(context, state)
    state = state.with_scenario(number, found.prompt.scenario_name or "")
    followup = question.prompt("followup")
    answer_texts = [judge.speak(context, state, found.prompt)]
    if followup is not None:
        answer_texts.append(context.text(followup.response_text, state))
    response = "\n\n".join(answer_texts)
    return CoachReply(
        kind="answer",
        message_text=message_text,
        intent=intent,
        iteration=context.iteration,
        answers=state.with_response(number, completed=followup is None),
        response=response,
        prompt_id=found.prompt.prompt_id,
        validation=validation,
        classification_method=found.method,
        classification_confidence=found.confidence,
    )


def _close_followup(context: CoachContext, message_text: str, intent: Intent, judge: Judge) -> CoachReply:
    """Complete the question. A skipped follow-up leaves the answer to the question as it is."""
    number = context.question.question_number
    prompt = context.question.prompt("followup_respond")
    assert prompt is not None, "publishing checks that a follow-up has its response"
    state = context.state
    if intent.kind == "skip":
        prompt, response = None, context.phrases.says["skipped"]
    else:
        state = state.with_followup(number, message_text)
        response = judge.speak(context, state, prompt)
    return CoachReply(
        kind="answer",
        message_text=message_text,
        intent=intent,
        iteration=context.iteration,
        answers=state.with_response(number, completed=True),
        response=response,
        prompt_id=_id_of(prompt),
    )


def _id_of(prompt: Prompt | None) -> UUID | None:
    return prompt.prompt_id if prompt is not None else None
