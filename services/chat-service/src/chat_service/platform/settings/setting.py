"""What a setting is: its key, its type, what it is for, and which values it takes."""

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, JsonValue, StringConstraints, TypeAdapter, ValidationError

from chat_service.platform.settings.errors import InvalidValue
from cogniflow_kit.errors import FieldProblem

SettingType = Literal["string", "integer", "boolean", "json", "secret"]
Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)
SECRET_CHARACTERS = 4000


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """One setting. `default` counts until an admin sets another value."""

    key: str
    type: SettingType
    description: str
    default: Value
    _adapter: TypeAdapter[Value] = field(repr=False)

    @property
    def is_secret(self) -> bool:
        return self.type == "secret"

    def check(self, value: JsonValue) -> Value:
        """The value as the code uses it. Raises InvalidValue, which names what is wrong but not the value."""
        try:
            # By JSON, where strict means what it means to a client: 5 is no text, "5" no number.
            return self._adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            problems = [
                FieldProblem(
                    field=".".join(["body", "value", *(str(part) for part in found["loc"])]),
                    code=found["type"],
                    message=found["msg"],
                )
                for found in error.errors(include_input=False, include_url=False)
            ]
            raise InvalidValue(self.key, problems) from None

    def plain(self, value: Value) -> JsonValue:
        """The value as JSON."""
        found: JsonValue = self._adapter.dump_python(value, mode="json")
        return found

    @property
    def accepts(self) -> dict[str, Any]:
        """The values that it takes, as a JSON Schema."""
        return self._adapter.json_schema()


def boolean(key: str, description: str, *, default: bool) -> Setting[bool]:
    """A switch, such as a feature that can be turned off."""
    return Setting(key, "boolean", description, default, TypeAdapter(bool))


def integer(key: str, description: str, *, default: int, least: int, most: int) -> Setting[int]:
    bounded: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=least, le=most)])
    return Setting(key, "integer", description, default, bounded)


def string(
    key: str, description: str, *, default: str, pattern: str = r"^[^\u0000]*$", longest: int = 500
) -> Setting[str]:
    constraints = StringConstraints(strip_whitespace=True, max_length=longest, pattern=pattern)
    return Setting(key, "string", description, default, TypeAdapter(Annotated[str, constraints]))


def choice(key: str, description: str, kind: Any, *, default: Value) -> Setting[Value]:
    """A string of which there are few; `kind` is their Literal."""
    adapter: TypeAdapter[Value] = TypeAdapter(kind)
    return Setting(key, "string", description, default, adapter)


def structured(key: str, description: str, *, default: Model) -> Setting[Model]:
    """A JSON object; the model of its default checks it."""
    return Setting(key, "json", description, default, TypeAdapter(type(default)))


def secret(key: str, description: str) -> Setting[str | None]:
    """A text that is kept encrypted and never shown; None while it isn't set."""
    constraints = StringConstraints(
        strip_whitespace=True, min_length=1, max_length=SECRET_CHARACTERS, pattern=r"^[^\u0000]*$"
    )
    adapter: TypeAdapter[str | None] = TypeAdapter(Annotated[str, constraints])
    return Setting(key, "secret", description, None, adapter)
