"""Which services may ask for tokens, and for what."""

import hashlib

from sqlalchemy.dialects.postgresql import insert

from cogniflow_kit.sql.database import Database
from users_service.settings import Settings
from users_service.tables import ServiceClient

_PEOPLE = ["people:export", "people:erase"]

# For each service, whom it may call with which scopes; anything not listed is refused.
GRANTS = {
    "users-service": {
        "analytics-service": ["events:write", *_PEOPLE],
        "chat-service": _PEOPLE,
        "courses-service": _PEOPLE,
    },
    "courses-service": {"analytics-service": ["events:write"], "users-service": ["tokens:verify"]},
    "chat-service": {
        "analytics-service": ["events:write"],
        "courses-service": ["lessons:read"],
        "users-service": ["tokens:verify"],
    },
    "analytics-service": {"users-service": ["tokens:verify"]},
}


def hash_secret(secret: str) -> str:
    """SHA-256 is enough: these secrets are long and random, not chosen by people."""
    return hashlib.sha256(secret.encode()).hexdigest()


def register_clients(database: Database, settings: Settings) -> None:
    """Store the services' secrets, hashed, and their grants as this version knows them."""
    with database.transaction() as db:
        for client_id, grants in GRANTS.items():
            secret = settings.client_secret(client_id).get_secret_value()
            values = {"secret_hash": hash_secret(secret), "grants": grants}
            adding = insert(ServiceClient).values(client_id=client_id, **values)
            db.execute(adding.on_conflict_do_update(index_elements=["client_id"], set_=values))
