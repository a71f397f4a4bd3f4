"""Definitions of all settings: key, type, description, default, accepted values.

A new setting needs a line here and nothing else. A key never changes its type.
"""

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, TypeAdapter, ValidationError

from chat_service.platform.settings.errors import InvalidValue
from cogniflow_kit.errors import FieldProblem

SettingType = Literal["string", "integer", "boolean", "json", "secret"]
Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)
MAX_SECRET_CHARACTERS = 4000
Transcript = Literal["keep", "remove"]
_TEN_YEARS_DAYS = 3650


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """One setting. `default` applies until an admin sets another value."""

    key: str
    type: SettingType
    description: str
    default: Value
    _adapter: TypeAdapter[Value] = field(repr=False)

    @property
    def is_secret(self) -> bool:
        return self.type == "secret"

    def check(self, value: JsonValue) -> Value:
        """Validate a JSON value and return it in its Python type.

        Raises: InvalidValue (it names the problems but does not contain the value)
        """
        try:
            # Strict JSON validation, as clients expect it: 5 is not a string and "5" is not a number.
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
        """Return the value as JSON."""
        plain: JsonValue = self._adapter.dump_python(value, mode="json")
        return plain

    @property
    def accepts(self) -> dict[str, Any]:
        """JSON Schema of the accepted values."""
        return self._adapter.json_schema()


def boolean(key: str, description: str, *, default: bool) -> Setting[bool]:
    return Setting(key, "boolean", description, default, TypeAdapter(bool))


def integer(key: str, description: str, *, default: int, minimum: int, maximum: int) -> Setting[int]:
    bounded: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=minimum, le=maximum)])
    return Setting(key, "integer", description, default, bounded)


def string(
    key: str, description: str, *, default: str, pattern: str = r"^[^\u0000]*$", max_length: int = 500
) -> Setting[str]:
    constraints = StringConstraints(strip_whitespace=True, max_length=max_length, pattern=pattern)
    return Setting(key, "string", description, default, TypeAdapter(Annotated[str, constraints]))


def choice(key: str, description: str, values: Any, *, default: Value) -> Setting[Value]:
    """Define a string with few accepted values; `values` is a Literal of them."""
    adapter: TypeAdapter[Value] = TypeAdapter(values)
    return Setting(key, "string", description, default, adapter)


def structured(key: str, description: str, *, default: Model) -> Setting[Model]:
    """Define a JSON object that is validated by the model class of its default."""
    return Setting(key, "json", description, default, TypeAdapter(type(default)))


def secret(key: str, description: str) -> Setting[str | None]:
    """Define a text that is stored encrypted and never returned by the API; None while it is not set."""
    constraints = StringConstraints(
        strip_whitespace=True, min_length=1, max_length=MAX_SECRET_CHARACTERS, pattern=r"^[^\u0000]*$"
    )
    adapter: TypeAdapter[str | None] = TypeAdapter(Annotated[str, constraints])
    return Setting(key, "secret", description, None, adapter)


class ModelOptions(BaseModel):
    """Parameters of each request to the language model. None means the default of the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1, le=100_000)


ANONYMOUS_SESSIONS = boolean(
    "features.anonymous_sessions",
    "Whether programs that allow it can be begun without an account. Begun sessions go on.",
    default=True,
)
LANGUAGE_MODEL = boolean(
    "features.language_model",
    "Whether prompts go to the language model at llm.base_url. Without it the programs' own texts answer.",
    default=False,
)
ANONYMOUS_PER_HOUR = integer(
    "anonymous.sessions_per_hour",
    "How many sessions may begin without an account within an hour, in the whole installation.",
    default=1000,
    minimum=0,
    maximum=1_000_000,
)
ANONYMOUS_DAYS = integer(
    "retention.anonymous_days",
    "Days without activity after which an anonymous session is deleted, unless its program says otherwise.",
    default=30,
    minimum=1,
    maximum=_TEN_YEARS_DAYS,
)
DETECTIONS_DAYS = integer(
    "retention.detections_days",
    "Days after which a detection of risk and its review are deleted, unless the program says otherwise."
    " An open review stays.",
    default=90,
    minimum=1,
    maximum=_TEN_YEARS_DAYS,
)
OPEN_REVIEWS_DAYS = integer(
    "retention.open_reviews_days",
    "Days after which a detection is deleted even though its review is still open.",
    default=365,
    minimum=1,
    maximum=_TEN_YEARS_DAYS,
)
TRANSCRIPT: Setting[Transcript] = choice(
    "retention.transcript_at_completion",
    "Whether the words of a completed session are kept, unless its program says otherwise.",
    Transcript,
    default="keep",
)
KEEP_MONTHS = integer(
    "messages.keep_months",
    "How many months before this one messages stay in transcripts; older ones move to an archive table."
    " 0: for ever.",
    default=0,
    minimum=0,
    maximum=1200,
)
LLM_BASE_URL = string(
    "llm.base_url",
    "Address of an OpenAI-compatible service, such as http://127.0.0.1:11434/v1.",
    default="",
    pattern=r"^(https?://[^\s@]+)?$",
)
LLM_MODEL = string("llm.model", "Which model is asked there.", default="", max_length=200)
LLM_API_KEY = secret("llm.api_key", "The key that the language model's service asks for, if it does.")
LLM_TIMEOUT = integer(
    "llm.timeout_seconds",
    "Seconds after which an answer of the language model is no longer waited for.",
    default=20,
    minimum=1,
    maximum=120,
)
LLM_OPTIONS = structured(
    "llm.options", "What the language model is asked with each prompt.", default=ModelOptions()
)

SETTINGS: dict[str, Setting[Any]] = {
    setting.key: setting
    for setting in (
        ANONYMOUS_SESSIONS,
        LANGUAGE_MODEL,
        ANONYMOUS_PER_HOUR,
        ANONYMOUS_DAYS,
        DETECTIONS_DAYS,
        OPEN_REVIEWS_DAYS,
        TRANSCRIPT,
        KEEP_MONTHS,
        LLM_BASE_URL,
        LLM_MODEL,
        LLM_API_KEY,
        LLM_TIMEOUT,
        LLM_OPTIONS,
    )
}
