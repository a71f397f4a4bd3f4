"""Whatever the new version is like: who is moved can be led to the end, and who can't is left."""

import re
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chat_service.programs.authoring.move_plan import MoveBlocker, MovePlan, plan_move
from chat_service.programs.coach.coach import make_reply
from chat_service.programs.coach.intents import Intent
from chat_service.programs.coach.judging import Rules
from chat_service.programs.coach.next_step import find_next_step
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.model import Program
from chat_service.programs.content.validation import InvalidProgram, check_program
from chat_service.programs.sessions.store import StartRequest, new_program_session
from cogniflow_kit.ids import new_id

KEYS = ("goal", "problem")
texts = st.lists(
    st.sampled_from(
        [
            "What?",
            "{name}",
            "{Answer to question 1}",
            "{Answer to question 2}",
            "{goal}",
            "{problem}",
            "{summary}",
        ]
    ),
    min_size=1,
    max_size=2,
).map(" ".join)


@st.composite
def questions(draw: st.DrawFn, number: int, last: int) -> dict[str, Any]:
    scenarios = draw(st.integers(1, 2))
    prompts: list[dict[str, Any]] = [
        {"prompt_type": f"scenario_{one}_respond", "prompt_text": "Say.", "response_text": draw(texts)}
        for one in range(1, scenarios + 1)
    ]
    if scenarios == 2:
        prompts[0]["conditions"] = {"any_of": ["walk"]}
        prompts.append({"prompt_type": "classifier", "prompt_text": "Which?"})
    if number + 2 <= last and draw(st.booleans()):
        prompts[0]["next_question"] = number + 2
    followup = draw(st.booleans())
    if followup:
        prompts += [
            {"prompt_type": kind, "prompt_text": "Ask.", "response_text": draw(texts)}
            for kind in ("followup", "followup_respond")
        ]
    return {
        "question_number": number,
        "question_text": draw(texts),
        "requires_followup": followup,
        "skippable": draw(st.booleans()),
        "keeps": draw(st.none() | st.sampled_from(KEYS)),
        "prompts": prompts,
    }


@st.composite
def programs(draw: st.DrawFn) -> Program:
    weeks = []
    for week in range(1, draw(st.integers(1, 3)) + 1):
        last = draw(st.integers(1, 4))
        weeks.append(
            {
                "week_number": week,
                "name": "Week",
                "title": "Title",
                "description": "Description",
                "is_active": week == 1 or draw(st.integers(0, 4)) > 0,
                "questions": [draw(questions(number, last)) for number in range(1, last + 1)],
            }
        )
    return sound({"slug": "made", "version": 1, "title": "Made", "description": "Up", "weeks": weeks})


def sound(content: dict[str, Any]) -> Program:
    """The program without what publishing would refuse in it."""
    for _ in range(6):
        program = Program.model_validate(content)
        try:
            check_program(program, "")
        except InvalidProgram as error:
            for message in error.messages:
                mend(content, str(message))
        else:
            return program
    raise AssertionError("still not sound")


def mend(content: dict[str, Any], problem: str) -> None:
    program_session = re.match(r"week (\d+), question (\d+): (?:prompt (\w+): )?", problem)
    if program_session is None:
        for week in content["weeks"]:
            for question in week["questions"]:
                question["keeps"] = None if problem.startswith("keeps") else question["keeps"]
        return
    week = content["weeks"][int(program_session[1]) - 1]
    question = week["questions"][int(program_session[2]) - 1]
    if "no way leads" in problem:
        for other in week["questions"]:
            other["prompts"][0].pop("next_question", None)
    elif program_session[3] is None:
        question["question_text"] = "What?"
    else:
        prompt = next(one for one in question["prompts"] if one["prompt_type"] == program_session[3])
        prompt["response_text"] = "Well."


def lead(program_session: ProgramSession, said: str) -> ProgramSession:
    intent = Intent(kind="skip" if said == "skip" else "answer")
    step = make_reply(program_session.context, said, intent, Rules())
    return ProgramSession(find_next_step(program_session, step).state, program_session.program)


def test_what_every_plan_promises():
    outcomes = set()

    @given(
        old=programs(),
        new=programs(),
        before=st.lists(st.sampled_from(["I went for a walk.", "Nothing much.", "skip"]), max_size=8),
        behind=st.lists(
            st.sampled_from(["I went for a walk.", "Nothing much.", "skip"]), min_size=1, max_size=4
        ),
    )
    @settings(max_examples=200, deadline=None, derandomize=True)
    def holds(old: Program, new: Program, before: list[str], behind: list[str]) -> None:
        program_session = new_program_session(StartRequest(id=new_id(), name="Maja", locale="en"), old)
        for said in before:
            if not program_session.state.completed:
                program_session = lead(program_session, said)
        assume(not program_session.state.completed)
        found = plan_move(program_session, new)
        outcomes.add(found.blocker or found.outcome)
        check(program_session, found, behind)

    holds()
    assert {MoveBlocker.NEEDS_MORE, MoveBlocker.WEEK_GONE} <= outcomes


def check(program_session: ProgramSession, found: MovePlan, behind: list[str]) -> None:
    assert (found.program_session is None) == (found.blocker is not None)
    if found.program_session is None:
        return
    moved = found.program_session
    assert moved.state.version_id == moved.program.version_id
    assert moved.week.is_active
    begun = {program_session.program.week(state.week_id).week_number for state in program_session.state.weeks}
    carried = {moved.program.week(state.week_id).week_number for state in moved.state.weeks}
    assert carried - begun == ({moved.week.week_number} if found.opens else set())
    for turn in range(60):
        if moved.state.completed:
            return
        moved.context.text(moved.context.question.question_text)
        moved = lead(moved, behind[turn % len(behind)] if turn < 30 else "I went for a walk.")
    raise AssertionError("the program has no end")
