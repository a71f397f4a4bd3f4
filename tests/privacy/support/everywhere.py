"""Everything that the platform keeps anywhere, as text."""

from contextlib import closing
from pathlib import Path

from four_services import FourServices
from redis import Redis
from service_routes import SERVICES
from sqlalchemy import text

from cogniflow_dev.stores import Stores
from cogniflow_kit.mongo import Mongo

_TABLES = text(
    "SELECT relname FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'r'"
)


def postgresql(platform: FourServices) -> dict[str, str]:
    """Every row of every table that is there, partitions and archives too, by `service.table`."""
    found = {}
    for service in SERVICES:
        with platform.apps[service].state.database.transaction() as session:
            for table in session.scalars(_TABLES, {"schema": service}).all():
                rows = session.scalars(text(f"SELECT t::text FROM {service}.{table} t"))
                found[f"{service}.{table}"] = "\n".join(rows)
    return found


def mongodb(platform: FourServices) -> str:
    """Every document of every collection."""
    found = []
    for service in ("courses", "chat", "analytics"):
        url = platform.settings[service].mongo_url.get_secret_value()
        with closing(Mongo(url)) as mongo:
            names = mongo.database.list_collection_names()
            found += [str(document) for name in names for document in mongo.collection(name).find()]
    return "\n".join(found)


def redis(stores: Stores) -> str:
    """Every key with its value, in every numbered database."""
    found = []
    for number in range(16):
        with Redis.from_url(stores.redis.admin_url(), db=number) as client:
            for key in client.scan_iter(count=1000):
                kind = client.type(key)
                read = {
                    b"string": client.get,
                    b"list": lambda name: client.lrange(name, 0, -1),
                    b"hash": client.hgetall,
                    b"set": client.smembers,
                    b"zset": lambda name: client.zrange(name, 0, -1),
                }[kind]
                found.append(f"{key!r} {read(key)!r}")
    return "\n".join(found)


def files(folder: Path) -> str:
    """Every file below it, with its name."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join(f"{path.name} {path.read_text()}" for path in found)
