"""The demo accounts: a learner, an instructor and an admin."""

from collections.abc import Set
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import insert

from cogniflow_kit.sql.database import Database
from users_service.password_hashing import hash_password
from users_service.settings import Settings
from users_service.tables import User


def demo_id(username: str) -> UUID:
    """Return the account's id, the same on every installation: demo courses refer to their instructor."""
    return uuid5(NAMESPACE_URL, f"https://cogniflow.invalid/demo/{username}")


def load_demo_users(database: Database, settings: Settings, *, but: Set[UUID] = frozenset()) -> None:
    """Add the missing demo accounts that have a password in the settings; change no existing one.

    `but`: ids of erased users, who aren't added again.
    """
    accounts = (
        ("learner", "Lena Learner", "student", settings.demo_learner_password),
        ("instructor", "Ines Instructor", "instructor", settings.demo_instructor_password),
        ("admin", "Ada Admin", "admin", settings.demo_admin_password),
    )
    for username, full_name, role, password in accounts:
        if password is not None and demo_id(username) not in but:
            _add(database, username, full_name, role, password)


def _add(database: Database, username: str, full_name: str, role: str, password: SecretStr) -> None:
    with database.transaction() as db:
        if db.get(User, demo_id(username)) is not None:
            return
        db.execute(
            insert(User)
            .values(
                id=demo_id(username),
                username=username,
                email=f"{username}@cogniflow.invalid",
                full_name=full_name,
                hashed_password=hash_password(password.get_secret_value()),
                role=role,
            )
            .on_conflict_do_nothing()
        )
