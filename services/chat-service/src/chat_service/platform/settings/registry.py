"""Every setting that there is. Adding one here is all it takes; a key never changes its type."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chat_service.platform.settings.setting import (
    Setting,
    boolean,
    choice,
    integer,
    secret,
    string,
    structured,
)

Transcript = Literal["keep", "remove"]
_YEARS = 3650


class ModelOptions(BaseModel):
    """What a language model is asked with each prompt; without a value, the model's own default."""

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
    least=0,
    most=1_000_000,
)
ANONYMOUS_DAYS = integer(
    "retention.anonymous_days",
    "Days without activity after which an anonymous session is deleted, unless its program says otherwise.",
    default=30,
    least=1,
    most=_YEARS,
)
DETECTIONS_DAYS = integer(
    "retention.detections_days",
    "Days after which a detection of risk and its review are deleted, unless the program says otherwise."
    " An open review stays.",
    default=90,
    least=1,
    most=_YEARS,
)
OPEN_REVIEWS_DAYS = integer(
    "retention.open_reviews_days",
    "Days after which a detection is deleted even though its review is still open.",
    default=365,
    least=1,
    most=_YEARS,
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
    least=0,
    most=1200,
)
LLM_BASE_URL = string(
    "llm.base_url",
    "Address of an OpenAI-compatible service, such as http://127.0.0.1:11434/v1.",
    default="",
    pattern=r"^(https?://[^\s@]+)?$",
)
LLM_MODEL = string("llm.model", "Which model is asked there.", default="", longest=200)
LLM_API_KEY = secret("llm.api_key", "The key that the language model's service asks for, if it does.")
LLM_TIMEOUT = integer(
    "llm.timeout_seconds",
    "Seconds after which an answer of the language model is no longer waited for.",
    default=20,
    least=1,
    most=120,
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
