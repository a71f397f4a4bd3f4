"""Imports every module of a package, to show that its declared dependencies are enough."""

import importlib
import pkgutil
import sys

package = importlib.import_module(sys.argv[1])
names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
# Not these: one serves, one reads settings, the rest belong to Alembic's own runs.
skipped = ("__main__", "main", "migrations")
for name in names:
    if not any(part in skipped for part in name.split(".")):
        importlib.import_module(name)
