"""Base of stored forms: JSON that one release writes and every later release reads.

A stored form is a model of its own, apart from HTTP bodies and domain types.
It names its version in `form_version`; JSON without that field has version 1,
which the first release wrote.

An optional field with a default can be added to a form within its version.
Any other change raises the version: keep a reader for the version before, and
its sample files in `tests/data/stored/`.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from chat_service.safety.help.places import Resource

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class StoredForm(BaseModel):
    """A form that is only read after it was written; fields that a later release added are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class RewrittenForm(StoredForm):
    """A form that is read and written again; unknown fields are refused, since they would be lost."""

    model_config = ConfigDict(extra="forbid")


Form = TypeVar("Form", bound=StoredForm)


class UnreadableForm(ValueError):
    """Stored JSON that this release can't read: a later version, or damaged."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"the stored {what} can't be read: {reason}")


def read_form(form: type[Form], stored: str | bytes | Mapping[str, Any], what: str) -> Form:
    """Raises: UnreadableForm."""
    try:
        if isinstance(stored, str | bytes):
            return form.model_validate_json(stored)
        return form.model_validate(stored)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        wrong = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found[:5])
        # Without the values, which are personal data.
        raise UnreadableForm(what, "; ".join(wrong)) from None


def fields_of(value: "DataclassInstance") -> dict[str, Any]:
    """The fields of a dataclass by name; nested values stay as they are."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


class StoredResource(StoredForm):
    """A place to find help, as a turn showed it."""

    name: str
    region: str
    languages: list[str]
    contact: str
    hours: str
    source: str

    def resource(self) -> Resource:
        return Resource(**self.model_dump())
