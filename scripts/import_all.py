"""Imports all modules of a package, to check that its declared dependencies suffice."""

import importlib
import pkgutil
import sys

package = importlib.import_module(sys.argv[1])
names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
# Skipped: __main__ starts a server, main reads settings, migrations only work inside Alembic.
skipped = ("__main__", "main", "migrations")
for name in names:
    if not any(part in skipped for part in name.split(".")):
        importlib.import_module(name)
