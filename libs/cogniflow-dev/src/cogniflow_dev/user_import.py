"""Imports accounts from a CSV file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cogniflow_dev.admin_client import AdminClient, problem_of

REQUIRED = ("username", "email", "full_name", "role")
OPTIONAL = ("password",)


class UnreadableFile(ValueError):
    """The file is no CSV file with the required columns."""


class Outcome(StrEnum):
    """The outcome of a row; in a dry run, the expected outcome."""

    CREATED = "created"
    INVITED = "invited"
    EXISTS = "exists"
    REFUSED = "refused"


@dataclass(frozen=True)
class Row:
    """A row of the file. `fields` is None if it has more or fewer fields than the header."""

    line: int
    fields: dict[str, str] | None


@dataclass(frozen=True)
class Report:
    """The outcome of one row; `detail` gives the reason."""

    line: int
    username: str
    outcome: Outcome
    detail: str = ""


def read_rows(file: Path) -> list[Row]:
    """Read all rows. Raises: UnreadableFile."""
    try:
        # utf-8-sig: spreadsheets write a byte order mark.
        with file.open(encoding="utf-8-sig", newline="") as text:
            return list(_rows(csv.DictReader(text, strict=True)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFile(f"{file.name} is no CSV file in UTF-8: {error}") from None


def _rows(reader: "csv.DictReader[str]") -> Iterator[Row]:
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    missing, unknown = set(REQUIRED) - set(columns), set(columns) - {*REQUIRED, *OPTIONAL}
    if missing or unknown or len(columns) != len(set(columns)):
        raise UnreadableFile(
            f"The first line must name the columns {', '.join(REQUIRED)} and, if wanted, password;"
            f" it says: {', '.join(columns) or 'nothing'}"
        )
    for fields in reader:
        complete = None not in fields and None not in fields.values()
        yield Row(reader.line_num, _stripped(fields) if complete else None)


def _stripped(fields: dict[str, str]) -> dict[str, str]:
    """Strip blanks, except from passwords, which may begin or end with one."""
    return {name: value if name in OPTIONAL else value.strip() for name, value in fields.items()}


def import_row(client: AdminClient, row: Row, *, dry_run: bool) -> Report:
    """Create the account, or only validate it in a dry run. An existing account doesn't change."""
    if row.fields is None:
        return Report(row.line, "", Outcome.REFUSED, "more or fewer fields than the first line")
    username = row.fields["username"]
    new: dict[str, Any] = {name: value for name, value in row.fields.items() if value or name != "password"}
    success = Outcome.CREATED if "password" in new else Outcome.INVITED
    answer = client.create_user(new, dry_run=dry_run)
    if answer.is_success:
        return Report(row.line, username, success)
    if answer.status_code == 409:
        found = _existing(client, row)
        if found is not None:
            return found
    return Report(row.line, username, Outcome.REFUSED, problem_of(answer))


def _existing(client: AdminClient, row: Row) -> Report | None:
    """EXISTS if the row's account exists, REFUSED if its name or address belongs to another account."""
    assert row.fields is not None
    username, email = row.fields["username"], row.fields["email"]
    named, addressed = client.find_user("username", username), client.find_user("email", email)
    if named is None and addressed is None:
        return None
    if named is not None and addressed is not None and named["id"] == addressed["id"]:
        role = row.fields["role"]
        other_role = f"as {named['role']}, not {role}" if named["role"] != role else ""
        return Report(row.line, username, Outcome.EXISTS, other_role)
    taken = "username" if named is not None else "e-mail address"
    return Report(row.line, username, Outcome.REFUSED, f"another account has this {taken}")
