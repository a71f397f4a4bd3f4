"""Plans program sessions from `user_progress.json` and `conversation_states`."""

from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest
from uuid import UUID

from chat_service.programs.content.model import Question, Week
from legacy_import.apply.plan import SessionPlan, WeekPlan
from legacy_import.apply.rows import legacy_uuid
from legacy_import.ledger import Ledger
from legacy_import.records import ProgressRecord, WeekRecord


def plan_position(plan: SessionPlan, position: ProgressRecord, place: str, ledger: Ledger) -> None:
    ledger.count_imported("people")
    if position.name:
        plan.name = position.name
    plan.record_activity(position.last_active)
    if position.last_active is None and plan.last_activity is None:
        ledger.note(place, "no time of last activity; the time of the import is used")
    for number in position.completed_weeks:
        week = plan.target.week(number)
        if week is None:
            ledger.skip("completed_weeks", place, f"the program has no week {number}")
        else:
            _complete_week(plan, week)
            ledger.count_imported("completed_weeks")
    for number, questions in position.completed_questions.items():
        week = plan.target.week(number)
        if week is None:
            reason = f"the program has no week {number}"
            ledger.skip("completed_questions", place, reason, len(questions))
        else:
            _complete_questions(plan, week, questions, place, ledger)
    _set_position(plan, position, place, ledger)


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
            ledger.skip("completed_questions", place, f"week {week.week_number} has no question {number}")
            continue
        completed = {**here.data.question_completed, str(number): True}
        here.data = replace(here.data, question_completed=completed)
        question_id = week.question(number).question_id
        plan.rows.add(
            "question_completions",
            **plan.keys,
            completion_id=legacy_uuid("completion", plan.session_id, question_id),
            question_id=question_id,
            completed_at=plan.at,
            iteration_count=here.data.iterations(number),
            scenario_classification=here.data.scenario_of(number),
        )
        ledger.count_imported("completed_questions")
    if all(here.data.is_completed(question.question_number) for question in week.questions):
        _complete_week(plan, week)


def _set_position(plan: SessionPlan, position: ProgressRecord, place: str, ledger: Ledger) -> None:
    """Continue at the recorded week and question, else in the first week that isn't completed."""
    week = plan.target.week(position.week) if position.week is not None else None
    if week is None:
        open_weeks = [w for w in plan.target.program.active_weeks if not plan.has_completed(w)]
        week = open_weeks[0] if open_weeks else plan.target.program.active_weeks[-1]
        said = "nothing" if position.week is None else f"week {position.week}, which the program doesn't have"
        message = f"the current week is {said}; the session continues in week {week.week_number}"
        ledger.warn(place, message)
        plan.move_to(week, _first_open(plan, week))
        return
    for earlier in plan.target.program.active_weeks:
        if earlier.week_number < week.week_number and not plan.has_completed(earlier):
            message = f"it is in week {week.week_number}, though week {earlier.week_number} is not completed"
            ledger.note(place, message)
    question = position.question
    if question is None or not 1 <= question <= len(week.questions):
        question = _first_open(plan, week)
        if not plan.week(week).completed:
            said = "no question" if position.question is None else f"question {position.question}"
            message = (
                f"its question in week {week.week_number} is {said}; it continues at question {question}"
            )
            ledger.warn(place, message)
    if not plan.week(week).completed:
        plan.move_to(week, question)
    else:
        plan.current = max(plan.current, week.week_number)


def _first_open(plan: SessionPlan, week: Week) -> int:
    data = plan.week(week).data
    numbers = [question.question_number for question in week.questions]
    return next((number for number in numbers if not data.is_completed(number)), numbers[-1])


_MESSAGE_DISTANCE = timedelta(milliseconds=1)
"""Distance between messages: the dump has one time for all, and their order must be kept."""


class WeekStatePlanner:
    """Plans one week of one session from its `conversation_states` entry. The program has this week."""

    def __init__(self, plan: SessionPlan, record: WeekRecord, week: Week, place: str, ledger: Ledger) -> None:
        self._plan = plan
        self._record = record
        self._week = week
        self._place = place
        self._ledger = ledger
        plan.record_activity(record.at)
        self._time = record.at or plan.at

    def plan(self, *, check_safety: bool) -> None:
        """`check_safety`: run the safety check on the answers and open reviews."""
        record, ledger = self._record, self._ledger
        ledger.count_imported("states")
        ledger.count_imported("choices", len(record.choices))
        if record.name:
            self._plan.name = record.name
        if record.at is None and self._plan.last_activity is None:
            ledger.note(self._place, "no time of the messages; the time of the import is used")
        here = self._plan.week(self._week)
        data = here.data
        here.data = replace(data, choices={**data.choices, **record.choices})
        for number in record.questions():
            if number > len(self._week.questions):
                reason = f"week {self._week.week_number} has no question {number}"
                ledger.skip_each(record.counts_of(number), self._place, reason)
            else:
                self._question(here, self._week.question(number))
        self._set_position(here)
        if check_safety:
            for answer in list(self._plan.rows.added.get("user_answers", {}).values()):
                self._plan.check_message(answer["turn_id"], answer["answer_text"])

    def _question(self, here: WeekPlan, question: Question) -> None:
        record, number = self._record, question.question_number
        completed = record.completed.get(number, False)
        answers, responses = record.answers.get(number, []), record.responses.get(number, [])
        counts = record.counts_of(number)
        scenario = record.scenarios.get(number)
        if scenario is not None and not completed:
            counts["scenario"] = 0
            scenario = None
            reason = "its question is open: it is classified anew when it is answered"
            self._ledger.skip("scenario", self._place, reason)
        self._ledger.count_imported_each(counts)
        said = {
            "answers": answers,
            "nova_responses": len(responses),
            "iteration_count": record.iterations.get(number, len(answers)),
            "question_completed": completed if number in record.completed else None,
            "scenario": scenario,
        }
        update = {
            name: {**getattr(here.data, name), str(number): value}
            for name, value in said.items()
            if value not in (None, [], 0)
        }
        here.data = replace(here.data, **update)
        self._turns(question, answers, responses, scenario, completed=completed)
        if completed:
            self._plan.rows.put(
                "question_completions",
                **self._plan.keys,
                completion_id=legacy_uuid("completion", self._plan.session_id, question.question_id),
                question_id=question.question_id,
                completed_at=self._time,
                iteration_count=record.iterations.get(number, len(answers)),
                scenario_classification=scenario,
            )

    def _turns(
        self,
        question: Question,
        answers: list[str],
        responses: list[str],
        scenario: str | None,
        *,
        completed: bool,
    ) -> None:
        """An answer and its response form a turn; further responses form turns without an answer."""
        last = max(len(answers), len(responses))
        for attempt, (answer, response) in enumerate(zip_longest(answers, responses), start=1):
            turn_id = legacy_uuid("turn", self._plan.session_id, question.question_id, attempt)
            sequence = self._plan.turn(turn_id, self._time, answered=response is not None)
            key = {**self._plan.keys, "question_id": question.question_id, "iteration_number": attempt}
            if answer is not None:
                self._message(turn_id, sequence, 0, "user", answer, key)
                self._plan.rows.add(
                    "user_answers",
                    **key,
                    answer_id=legacy_uuid("answer", turn_id),
                    turn_id=turn_id,
                    answer_text=answer,
                    is_complete=completed and attempt == len(answers),
                    created_at=self._time,
                )
            if response is not None:
                decided = scenario if attempt == last else None
                self._message(turn_id, sequence, 1, "nova", response, key, decided)
                self._plan.rows.add(
                    "nova_responses",
                    **key,
                    response_id=legacy_uuid("response", turn_id),
                    turn_id=turn_id,
                    response_text=response,
                    scenario_classification=decided,
                    created_at=self._time,
                )

    def _message(
        self,
        turn_id: UUID,
        sequence: int,
        position: int,
        sender: str,
        text: str,
        key: dict[str, object],
        scenario: str | None = None,
    ) -> None:
        self._plan.rows.add(
            "conversation_messages",
            **key,
            message_id=legacy_uuid("message", turn_id, position),
            week_id=self._week.week_id,
            turn_sequence=sequence,
            position=position,
            sender=sender,
            message_text=text,
            scenario_classification=scenario,
            created_at=self._time,
        )
        self._time += _MESSAGE_DISTANCE

    def _set_position(self, here: WeekPlan) -> None:
        numbers = [question.question_number for question in self._week.questions]
        unfinished = [number for number in numbers if not here.data.is_completed(number)]
        if not unfinished:
            here.completed, here.question = True, numbers[-1]
            self._plan.current = max(self._plan.current, self._week.week_number)
            return
        given = self._record.question
        if given is None or not 1 <= given <= numbers[-1] or here.data.is_completed(given):
            said = "no question" if given is None else f"question {given}"
            message = f"the current question is {said}; the session continues at question {unfinished[0]}"
            self._ledger.warn(self._place, message)
            given = unfinished[0]
        elif given != unfinished[0]:
            message = f"question {given} is current, though question {unfinished[0]} is not completed"
            self._ledger.warn(self._place, message)
        here.completed = False
        self._plan.move_to(self._week, given)
        if self._plan.current > self._week.week_number:
            here.question = given
