"""`user_progress.json` into sessions: weeks and questions completed, and where somebody goes on."""

from chat_service.programs.content.model import Week
from legacy_import.apply.identity import legacy_uuid
from legacy_import.apply.plan import SessionPlan
from legacy_import.ledger import Ledger
from legacy_import.records import Position


def plan_position(plan: SessionPlan, position: Position, place: str, ledger: Ledger) -> None:
    ledger.take("people")
    if position.name:
        plan.name = position.name
    plan.seen(position.last_active)
    if position.last_active is None and plan.last_activity is None:
        ledger.note(place, "no time of last activity; the time of the import stands for it")
    for number in position.completed_weeks:
        week = plan.target.week(number)
        if week is None:
            ledger.leave("completed_weeks", place, f"the program has no week {number}")
        else:
            _complete_week(plan, week)
            ledger.take("completed_weeks")
    for number, questions in position.completed_questions.items():
        week = plan.target.week(number)
        if week is None:
            reason = f"the program has no week {number}"
            ledger.leave("completed_questions", place, reason, len(questions))
        else:
            _complete_questions(plan, week, questions, place, ledger)
    _stand(plan, position, place, ledger)


def _complete_week(plan: SessionPlan, week: Week) -> None:
    here = plan.week(week)
    here.completed = True
    here.question = len(week.questions)


def _complete_questions(
    plan: SessionPlan, week: Week, numbers: list[int], place: str, ledger: Ledger
) -> None:
    here = plan.week(week)
    for number in numbers:
        if number > len(week.questions):
            ledger.leave("completed_questions", place, f"week {week.week_number} has no question {number}")
            continue
        completed = {**here.data.question_completed, str(number): True}
        here.data = here.data.model_copy(update={"question_completed": completed})
        question_id = week.question(number).question_id
        plan.rows.add(
            "question_completions",
            **plan.own,
            completion_id=legacy_uuid("completion", plan.session_id, question_id),
            question_id=question_id,
            completed_at=plan.at,
            iteration_count=here.data.iterations(number),
            scenario_classification=here.data.scenario_of(number),
        )
        ledger.take("completed_questions")
    if all(here.data.is_completed(question.question_number) for question in week.questions):
        _complete_week(plan, week)


def _stand(plan: SessionPlan, position: Position, place: str, ledger: Ledger) -> None:
    """Where they say somebody stands; else the first week that isn't completed."""
    week = plan.target.week(position.week) if position.week is not None else None
    if week is None:
        open_weeks = [w for w in plan.target.program.active_weeks if not plan.has_completed(w)]
        week = open_weeks[0] if open_weeks else plan.target.program.active_weeks[-1]
        said = "nothing" if position.week is None else f"week {position.week}, which the program doesn't have"
        message = f"the current week is {said}; the session goes on in week {week.week_number}"
        ledger.warn(place, message)
        plan.stand(week, _first_open(plan, week))
        return
    for earlier in plan.target.program.active_weeks:
        if earlier.week_number < week.week_number and not plan.has_completed(earlier):
            message = f"stands in week {week.week_number}, though week {earlier.week_number} is not completed"
            ledger.note(place, message)
    question = position.question
    if question is None or not 1 <= question <= len(week.questions):
        question = _first_open(plan, week)
        if not plan.week(week).completed:
            said = "no question" if position.question is None else f"question {position.question}"
            message = f"stands at {said} of week {week.week_number}; goes on at question {question}"
            ledger.warn(place, message)
    if not plan.week(week).completed:
        plan.stand(week, question)
    else:
        plan.current = max(plan.current, week.week_number)


def _first_open(plan: SessionPlan, week: Week) -> int:
    data = plan.week(week).data
    numbers = [question.question_number for question in week.questions]
    return next((number for number in numbers if not data.is_completed(number)), numbers[-1])
