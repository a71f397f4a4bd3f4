"""PostgreSQL, MongoDB and Redis as servers on this machine."""

from cogniflow_dev.stores.running import RunningStores, start_stores
from cogniflow_dev.stores.server import StoreError, StoreServer
from cogniflow_dev.stores.stores import StorePorts, Stores

__all__ = ["RunningStores", "StoreError", "StorePorts", "StoreServer", "Stores", "start_stores"]
