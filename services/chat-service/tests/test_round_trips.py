"""What a turn costs in round trips to PostgreSQL, count_round_trips on the wire."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import text
from taking import WAY

from chat_service.programs.coach.engine import CoachEngine, RestartEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.turns.model import Message
from chat_service.turns.protocol import run_turn
from cogniflow_dev.testing.round_trips import RoundTripProxy, count_round_trips
from cogniflow_kit.sql.database import Database


@pytest.fixture
def wire(stores) -> Iterator[RoundTripProxy]:
    with count_round_trips(stores.ports.postgres) as wire:
        yield wire


@pytest.fixture
def watched(committing, wire) -> Iterator[Database]:
    """The database by way of the wire, with its connection open and the statements of a turn prepared."""
    url = committing.engine.url.set(port=wire.port).render_as_string(hide_password=False)
    database = Database(url, application="tests", pool_size=1)
    run_turn(
        SqlTurnStore(database, Catalog(database)), CoachEngine(), message(begin(committing), "first", "Hm.")
    )
    yield database
    database.close()


@pytest.fixture
def session(committing) -> tuple:
    return begin(committing)


def begin(database: Database) -> tuple:
    """A learner's id, and their session."""
    user_id = uuid4()
    return user_id, SqlSessionStore(database, Catalog(database)).start(
        StartRequest(user_id, "Ada"), "practice"
    ).session_id


def message(session, name: str, words: str) -> Message:
    return Message(*session, name, words, words)


def test_every_turn_of_a_whole_program_takes_three_round_trips_and_prompts_none(
    watched, wire, session, committing
):
    catalog = Catalog(watched)
    with committing.transaction() as open_session:
        catalog.get(open_session.scalar(text("SELECT version_id FROM sessions")))
    turns = SqlTurnStore(watched, catalog)
    taken = []

    def trips(engine: CoachEngine, said: Message) -> int:
        wire.round_trips = 0
        taken.append(run_turn(turns, engine, said))
        return wire.round_trips

    assert trips(CoachEngine(), message(session, "risk", "I don't want to live anymore.")) == 3
    assert trips(CoachEngine(), message(session, "aside", "What do you mean?")) == 3
    assert trips(CoachEngine(), message(session, "attempt", "A meeting.")) == 3
    assert trips(RestartEngine(week_number=1), message(session, "restart", "Restart week 1")) == 3
    costs = [trips(CoachEngine(), message(session, str(number), words)) for number, words in enumerate(WAY)]
    assert costs == [3] * len(WAY)
    assert taken[-1].reply.session_completed
    assert trips(CoachEngine(), message(session, "0", WAY[0])) == 1, "repeated, it is only looked up"


def test_a_turn_that_is_taken_over_takes_three_round_trips(watched, wire, session):
    turns = SqlTurnStore(watched, Catalog(watched))
    said = message(session, "a", WAY[0])
    program_session = turns.view(said).conversation
    turn = turns.claim_turn(said, program_session, 1, CoachEngine().analyze(said, program_session))
    assert turns.fail(turn)
    wire.round_trips = 0
    assert run_turn(turns, CoachEngine(), said).epoch == 2
    assert wire.round_trips == 3


def test_a_turn_after_one_that_broke_off_takes_three_round_trips(watched, wire, session):
    turns = SqlTurnStore(watched, Catalog(watched))
    lost, said = message(session, "lost", WAY[0]), message(session, "a", WAY[0])
    program_session = turns.view(lost).conversation
    assert turns.fail(
        turns.claim_turn(lost, program_session, 1, CoachEngine().analyze(lost, program_session))
    )
    wire.round_trips = 0
    assert run_turn(turns, CoachEngine(), said).sequence == 2
    assert wire.round_trips == 3


def test_the_prompts_of_a_version_are_read_once_by_a_process(watched, wire, committing):
    with committing.transaction() as open_session:
        version_id = open_session.scalar(text("SELECT version_id FROM program_labels LIMIT 1"))
    catalog = Catalog(watched)
    wire.round_trips = 0
    first = catalog.get(version_id)
    assert wire.round_trips > 0
    wire.round_trips = 0
    assert catalog.get(version_id) is first
    assert wire.round_trips == 0


def test_preloaded_programs_take_no_round_trip(watched, wire, session, committing):
    catalog = Catalog(watched)
    with committing.transaction() as db:
        version_id = db.scalar(text("SELECT version_id FROM sessions"))
        programs = db.scalar(text("SELECT count(*) FROM program_labels WHERE label = 'production'"))
    wire.round_trips = 0
    catalog.preload()
    per_transaction, per_program = 3, 6
    assert wire.round_trips <= per_transaction + programs * per_program, "not one for each week or question"
    wire.round_trips = 0
    assert catalog.get(version_id).slug == "practice"
    assert wire.round_trips == 0
