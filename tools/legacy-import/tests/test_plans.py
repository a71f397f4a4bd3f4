"""Property tests: every planned session can be continued, and every record is counted."""

from datetime import UTC, datetime
from functools import cache
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from chat_service.programs.coach.session_state import ProgramSession, SessionState, WeekState
from chat_service.programs.content.loader import parse
from chat_service.programs.content.model import Program
from cogniflow_dev.paths import repository_root
from legacy_import.apply.plan import SessionPlan, TargetProgram
from legacy_import.apply.program_sessions import WeekStatePlanner, plan_position
from legacy_import.ledger import Ledger
from legacy_import.records import ProgressRecord, WeekRecord

NOW = datetime(2025, 6, 1, tzinfo=UTC)
SPACE = UUID(int=0)
NUMBERS = st.integers(min_value=1, max_value=9)
WORDS = st.sampled_from(["yes", "I kept at it.", "{name} and {Answer to question 9}", "7"])
TEXTS = st.dictionaries(NUMBERS, st.lists(WORDS, min_size=1, max_size=4), max_size=6)


@cache
def driven() -> Program:
    return parse(
        (repository_root() / "content" / "programs" / "driven.yaml").read_text(encoding="utf-8"), "driven"
    )


positions = st.builds(
    ProgressRecord,
    legacy_id=st.just("s"),
    name=st.none() | st.just("Ada"),
    week=st.none() | NUMBERS,
    question=st.none() | NUMBERS,
    completed_weeks=st.lists(NUMBERS, unique=True, max_size=8),
    completed_questions=st.dictionaries(NUMBERS, st.lists(NUMBERS, unique=True, max_size=7), max_size=4),
    last_active=st.none() | st.just(NOW),
)
records = st.lists(
    st.builds(
        WeekRecord,
        legacy_id=st.just("s"),
        week=st.integers(min_value=1, max_value=6),
        question=st.none() | NUMBERS,
        answers=TEXTS,
        responses=TEXTS,
        iterations=st.dictionaries(NUMBERS, st.integers(min_value=0, max_value=9), max_size=4),
        completed=st.dictionaries(NUMBERS, st.booleans(), max_size=8),
        scenarios=st.dictionaries(NUMBERS, st.sampled_from(["SCENARIO_1", "SCENARIO_9"]), max_size=4),
        choices=st.dictionaries(st.sampled_from(["selected_problem", "other"]), WORDS, max_size=2),
    ),
    max_size=3,
    unique_by=lambda record: record.week,
)


def planned(position: ProgressRecord | None, weeks: list[WeekRecord]) -> tuple[SessionPlan, Ledger]:
    plan = SessionPlan(
        "s", uuid5(SPACE, "session"), uuid5(SPACE, "user"), TargetProgram(SPACE, driven()), NOW
    )
    ledger = Ledger()
    if position is not None:
        plan_position(plan, position, "here", ledger)
        for what, count in position.counts().items():
            ledger.count_read(what, count)
    for record in weeks:
        week = plan.target.week(record.week)
        assert week is not None
        WeekStatePlanner(plan, record, week, "here", ledger).plan(check_safety=True)
        for what, count in record.counts().items():
            ledger.count_read(what, count)
    plan.finish()
    return plan, ledger


@settings(deadline=None)
@given(st.none() | positions, records)
def test_every_record_is_accounted_for_and_the_session_goes_on(position, weeks):
    plan, ledger = planned(position, weeks)
    ledger.check()
    session_state = SessionState(
        session_id=plan.session_id,
        user_id=plan.user_id,
        version_id=driven().version_id,
        current_week_id=plan.weeks[plan.current].week.week_id,
        name=plan.name,
        locale="en",
        created_at=NOW,
        weeks=[
            WeekState(
                week_id=week.week.week_id,
                question_number=week.question,
                is_completed=week.completed,
                data=week.data,
            )
            for week in plan.weeks.values()
        ],
    )
    context = ProgramSession(session_state, driven()).context
    number = context.question.question_number
    assert not context.state.awaits_followup(number)
    assert context.text(context.question.question_text)
    answered = context.state.with_answer(number, "words")
    if context.question.keeps is not None:
        answered = answered.with_choice(context.question.keeps, "words")
    for prompt in context.question.prompts:
        assert context.text(prompt.response_text, answered) or not prompt.response_text


@settings(deadline=None)
@given(st.none() | positions, records)
def test_rows_agree_with_the_state(position, weeks):
    plan, _ = planned(position, weeks)
    answers = plan.rows.added.get("user_answers", {}).values()
    said = [
        row["message_text"]
        for row in plan.rows.added.get("conversation_messages", {}).values()
        if row["sender"] == "user"
    ]
    assert sorted(row["answer_text"] for row in answers) == sorted(said)
    for week in plan.weeks.values():
        completed = {int(number) for number, flag in week.data.question_completed.items() if flag}
        rows = [
            row
            for kind in (plan.rows.added, plan.rows.replaced)
            for row in kind.get("question_completions", {}).values()
        ]
        ids = {row["question_id"] for row in rows}
        assert completed == {
            question.question_number for question in week.week.questions if question.question_id in ids
        }
    sequences = [row["sequence"] for row in plan.rows.replaced.get("turns", {}).values()]
    assert sorted(sequences) == list(range(1, len(sequences) + 1))
