"""One of the `conversation_states` into a session's state and the rows that agree with it."""

from datetime import timedelta
from itertools import zip_longest
from uuid import UUID

from chat_service.programs.content.model import Question, Week
from legacy_import.apply.findings import add_finding
from legacy_import.apply.identity import legacy_uuid
from legacy_import.apply.plan import SessionPlan, WeekPlan
from legacy_import.ledger import Ledger
from legacy_import.records import WeekRecord

_APART = timedelta(milliseconds=1)
"""The dump has no times of single messages: they follow each other from the moment that is known."""


class StatePlan:
    """Plans one week of one session. The week is one that the program has."""

    def __init__(self, plan: SessionPlan, record: WeekRecord, week: Week, place: str, ledger: Ledger) -> None:
        self._plan = plan
        self._record = record
        self._week = week
        self._place = place
        self._ledger = ledger
        plan.seen(record.at)
        self._moment = record.at or plan.at

    def plan(self, *, check_safety: bool) -> None:
        """`check_safety`: let today's check read the answers, for review."""
        record, ledger = self._record, self._ledger
        ledger.take("states")
        ledger.take("choices", len(record.choices))
        if record.name:
            self._plan.name = record.name
        if record.at is None and self._plan.last_activity is None:
            ledger.note(self._place, "no time of the messages; the time of the import stands for it")
        here = self._plan.week(self._week)
        data = here.data
        here.data = data.model_copy(update={"choices": {**data.choices, **record.choices}})
        for number in record.questions():
            if number > len(self._week.questions):
                reason = f"week {self._week.week_number} has no question {number}"
                ledger.leave_each(record.counts_of(number), self._place, reason)
            else:
                self._question(here, self._week.question(number))
        self._stand(here)
        if check_safety:
            for answer in list(self._plan.rows.added.get("user_answers", {}).values()):
                add_finding(self._plan, answer["turn_id"], answer["answer_text"])

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
            self._ledger.leave("scenario", self._place, reason)
        self._ledger.take_each(counts)
        said = {
            "answers": answers,
            "nova_responses": responses,
            "iteration_count": record.iterations.get(number, len(answers)),
            "question_completed": completed if number in record.completed else None,
            "scenario": scenario,
        }
        update = {
            name: {**getattr(here.data, name), str(number): value}
            for name, value in said.items()
            if value not in (None, [], 0)
        }
        here.data = here.data.model_copy(update=update)
        self._turns(question, answers, responses, scenario, completed=completed)
        if completed:
            self._plan.rows.put(
                "question_completions",
                **self._plan.own,
                completion_id=legacy_uuid("completion", self._plan.session_id, question.question_id),
                question_id=question.question_id,
                completed_at=self._moment,
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
        """An answer and the response to it are one turn; responses left over are turns without an answer."""
        last = max(len(answers), len(responses))
        for attempt, (answer, response) in enumerate(zip_longest(answers, responses), start=1):
            turn_id = legacy_uuid("turn", self._plan.session_id, question.question_id, attempt)
            sequence = self._plan.turn(turn_id, self._moment, answered=response is not None)
            key = {**self._plan.own, "question_id": question.question_id, "iteration_number": attempt}
            if answer is not None:
                self._message(turn_id, sequence, 0, "user", answer, key)
                self._plan.rows.add(
                    "user_answers",
                    **key,
                    answer_id=legacy_uuid("answer", turn_id),
                    turn_id=turn_id,
                    answer_text=answer,
                    is_complete=completed and attempt == len(answers),
                    created_at=self._moment,
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
                    created_at=self._moment,
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
            created_at=self._moment,
        )
        self._moment += _APART

    def _stand(self, here: WeekPlan) -> None:
        numbers = [question.question_number for question in self._week.questions]
        unfinished = [number for number in numbers if not here.data.is_completed(number)]
        if not unfinished:
            here.completed, here.question = True, numbers[-1]
            self._plan.current = max(self._plan.current, self._week.week_number)
            return
        given = self._record.question
        if given is None or not 1 <= given <= numbers[-1] or here.data.is_completed(given):
            said = "no question" if given is None else f"question {given}"
            message = f"the current question is {said}; the session goes on at question {unfinished[0]}"
            self._ledger.warn(self._place, message)
            given = unfinished[0]
        elif given != unfinished[0]:
            message = f"question {given} is current, though question {unfinished[0]} is not completed"
            self._ledger.warn(self._place, message)
        here.completed = False
        self._plan.stand(self._week, given)
        if self._plan.current > self._week.week_number:
            here.question = given
