"""What an import was asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cogniflow_kit.ids import utc_now
from legacy_import.ledger import Ledger

OnProgress = Callable[[int, int], None]
"""Told how many of a source's sessions are done, and of how many."""


@dataclass(frozen=True)
class Options:
    """`program` takes progress and states, `intake` the bot's sessions; both are slugs.

    `namespace` keeps two systems apart whose sessions have the same names.
    """

    program: str = "driven"
    intake: str = "support-intake"
    namespace: str = ""
    check_safety: bool = False
    accounts: dict[str, UUID] = field(default_factory=dict)
    accounts_file: Path | None = None
    accounts_ledger: Ledger = field(default_factory=Ledger)
    now: datetime = field(default_factory=utc_now)
