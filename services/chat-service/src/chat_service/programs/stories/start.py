"""Builds the program session in which a story begins, as if all questions before it were answered."""

from datetime import UTC, datetime

from chat_service.programs.coach.context import CoachContext
from chat_service.programs.coach.judging import Rules, choice_in
from chat_service.programs.coach.session_state import ProgramSession, SessionState, WeekState
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import SKIPPED, Program, Question, Week
from chat_service.programs.stories.format import Story
from cogniflow_kit.ids import new_id

NOT_GIVEN = "…"
"""Stands for an earlier answer that the story does not give."""


class NoSuchStart(ValueError):
    """The program has no such place, or the story's given answers do not lead there."""


def start_of(story: Story, program: Program) -> ProgramSession:
    """Raises: NoSuchStart"""
    week = _week(story, program)
    before = [other for other in program.active_weeks if other.week_number < week.week_number]
    now = WeekState(
        week_id=week.week_id, question_number=story.question, data=_answered(story, program, week)
    )
    session_state = SessionState(
        session_id=new_id(),
        user_id=new_id(),
        version_id=program.version_id,
        current_week_id=week.week_id,
        name=story.name_of_learner,
        locale=story.locale or program.locale,
        anonymous=program.anonymous,
        created_at=datetime.now(UTC),
        weeks=[*(_completed(story, other) for other in before), now],
    )
    return ProgramSession(session_state, program)


def _week(story: Story, program: Program) -> Week:
    week = program.week_numbered(story.week)
    if week is None or not week.is_active:
        raise NoSuchStart(f"week: there is no week {story.week}, or it is hidden")
    if story.question > len(week.questions):
        raise NoSuchStart(f"question: week {story.week} has {len(week.questions)} questions")
    keys = {
        question.keeps
        for earlier in program.weeks
        for question in earlier.questions
        if (earlier.week_number, question.question_number) < (story.week, story.question)
    }
    for key in story.given.choices:
        if key not in keys:
            raise NoSuchStart(f"given.choices: no question before this one keeps {key}")
    return week


def _completed(story: Story, week: Week) -> WeekState:
    kept = {
        question.keeps: story.given.choices.get(question.keeps, NOT_GIVEN)
        for question in week.questions
        if question.keeps is not None
    }
    return WeekState(
        week_id=week.week_id,
        question_number=len(week.questions),
        is_completed=True,
        data=WeekAnswers(choices=kept),
    )


def _answered(story: Story, program: Program, week: Week) -> WeekAnswers:
    state = WeekAnswers()
    for question in week.questions[: story.question - 1]:
        answer = story.given.answers.get(question.question_number)
        if answer is None and question.skippable:
            state = state.with_scenario(question.question_number, SKIPPED)
        else:
            context = CoachContext(program, week, question, state, story.name_of_learner)
            state = _with_answer(story, context, answer or NOT_GIVEN)
        state = state.with_response(question.question_number, completed=True)
    return state


def _with_answer(story: Story, context: CoachContext, answer: str) -> WeekAnswers:
    question = context.question
    state = context.state.with_answer(question.question_number, answer)
    chosen = _chosen(question, answer)
    if chosen is not None:
        state = state.with_chosen(question.question_number, chosen)
    if question.keeps is not None:
        kept = story.given.choices.get(question.keeps, chosen or answer)
        state = state.with_choice(question.keeps, kept)
    found = Rules().classify(context, state)
    return state.with_scenario(question.question_number, found.prompt.scenario_name or "")


def _chosen(question: Question, answer: str) -> str | None:
    if not question.choices or answer == NOT_GIVEN:
        return None
    chosen = choice_in(question, answer)
    if chosen is None:
        raise NoSuchStart(
            f"given.answers: {answer!r} names none of the choices of {question.question_number}"
        )
    return chosen
