"""Sets up MongoDB: replica set, administrator, one user per service.

    mongo_setup.py HOST:PORT

HOST must be the loopback interface: MongoDB only allows creating the first
user from there. The environment holds the member's address for clients
(MONGO_MEMBER) and the passwords. Can be repeated: updates passwords and the
member's address.
"""

import os
import sys
import time
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

SERVICES = ("courses", "chat", "analytics")
WAIT_SECONDS = 60
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18

Client = MongoClient[dict[str, Any]]


def connect(address: str, **credentials: Any) -> Client:
    return MongoClient(
        f"mongodb://{address}/",
        directConnection=True,
        serverSelectionTimeoutMS=WAIT_SECONDS * 1000,
        socketTimeoutMS=WAIT_SECONDS * 1000,
        **credentials,
    )


def has_administrator(admin: Database[dict[str, Any]]) -> bool:
    try:
        admin.command("connectionStatus")
    except OperationFailure as error:
        if error.code != AUTHENTICATION_FAILED:
            raise
        return False
    return True


def initiate(admin: Database[dict[str, Any]], member: str) -> None:
    """Initiate the replica set rs0 with one member, unless it exists."""
    if admin.command("hello").get("isreplicaset"):
        config = {"_id": "rs0", "members": [{"_id": 0, "host": member}]}
        admin.command("replSetInitiate", config)


def create_administrator(admin: Database[dict[str, Any]], password: str) -> None:
    try:
        admin.command("createUser", "root", pwd=password, roles=["root"])
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
        sys.exit("MongoDB already has its user root, with another password than MONGO_ROOT_PASSWORD.")


def update_address(admin: Database[dict[str, Any]], member: str) -> None:
    """Update the member's address in the replica set if host or port has changed."""
    config = admin.command("replSetGetConfig")["config"]
    if config["members"][0]["host"] != member:
        config["members"][0]["host"] = member
        config["version"] += 1
        admin.command("replSetReconfig", config, force=True)


def wait_until_writable(admin: Database[dict[str, Any]]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not admin.command("hello").get("isWritablePrimary"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"MongoDB elected no primary within {WAIT_SECONDS} s")
        time.sleep(0.1)


def ensure_user(database: Database[dict[str, Any]], name: str, password: str) -> None:
    roles = [{"role": role, "db": database.name} for role in ("readWrite", "dbAdmin")]
    known = database.command("usersInfo", name)["users"]
    database.command("updateUser" if known else "createUser", name, pwd=password, roles=roles)


def main() -> None:
    address, member = sys.argv[1], os.environ["MONGO_MEMBER"]
    password = os.environ["MONGO_ROOT_PASSWORD"]
    with connect(address, username="root", password=password) as client:
        if not has_administrator(client.admin):
            with connect(address) as first:
                initiate(first.admin, member)
                wait_until_writable(first.admin)
                create_administrator(first.admin, password)
        update_address(client.admin, member)
        wait_until_writable(client.admin)
        for service in SERVICES:
            secret = os.environ[f"{service.upper()}_MONGO_PASSWORD"]
            ensure_user(client[f"cogniflow_{service}"], service, secret)


if __name__ == "__main__":
    main()
