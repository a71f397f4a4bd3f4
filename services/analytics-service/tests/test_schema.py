"""Tables and indexes in the stores equal those in the code."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from analytics_service.bootstrap import bootstrap
from analytics_service.documents import INTERACTION_LOGS
from analytics_service.tables import metadata
from cogniflow_dev.testing.databases import schema_drift


def test_migrated_schema_equals_the_tables_in_code(settings):
    assert schema_drift(settings, metadata) == []


def test_bootstrap_can_be_repeated(settings, mongo):
    bootstrap(settings)
    before = mongo.collection(INTERACTION_LOGS).index_information()
    bootstrap(settings)
    assert mongo.collection(INTERACTION_LOGS).index_information() == before
    assert {"_id_", "course_time", "time_course", "stored"} <= before.keys()


@pytest.mark.parametrize(
    "question",
    [
        {"course_id": uuid4(), "occurred_at": {"$gte": datetime.now(UTC)}},
        {"occurred_at": {"$gte": datetime.now(UTC)}, "course_id": {"$ne": None}},
        {"stored_at": {"$gte": datetime.now(UTC)}},
    ],
)
def test_each_query_of_the_log_uses_an_index(mongo, question):
    plan = mongo.collection(INTERACTION_LOGS).find(question).explain()["queryPlanner"]["winningPlan"]
    assert plan["inputStage"]["stage"] == "IXSCAN"
