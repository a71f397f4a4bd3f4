"""Client of an OpenAI-compatible endpoint, with bounds on time and length."""

from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from cogniflow_kit.errors import Unavailable
from cogniflow_kit.stores import Breaker

if TYPE_CHECKING:
    from openai import OpenAI

Reason = Literal["unreachable", "slow", "refused", "failed", "unusable", "resting"]
ANSWER_TOKENS = 400
LONGEST_TIMEOUT_S = 25.0
"""Less than the lease of a turn (30 s), which the caller renews before each request."""


class ModelUnavailable(Exception):
    """The model gave no usable answer. The turn stores `reason`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class ModelSettings:
    """`base_url` includes the API version, such as `http://127.0.0.1:11434/v1`."""

    base_url: str
    model: str
    api_key: SecretStr
    timeout_s: float = 15.0
    temperature: float | None = None
    max_tokens: int | None = None


class LanguageModel:
    """One endpoint. After three failures in a row it is not called for 30 seconds."""

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self._breaker = Breaker("language-model", (ModelUnavailable,), failures=3, reset_s=30)

    def ask(self, instructions: str, message: str) -> str:
        """Return the model's answer to a message; never empty. Raises: ModelUnavailable"""
        try:
            with self._breaker.guard():
                return self._ask(instructions, message)
        except Unavailable as error:
            raise ModelUnavailable("resting") from error

    def _ask(self, instructions: str, message: str) -> str:
        # The import takes a second and 50 MB, which installations without a model should not spend.
        import openai  # noqa: PLC0415
        from openai import omit  # noqa: PLC0415

        started = monotonic()
        try:
            answer = self._client.chat.completions.create(
                model=self.settings.model,
                messages=[
                    {"role": "system", "content": instructions},
                    {"role": "user", "content": message},
                ],
                max_tokens=self.settings.max_tokens or ANSWER_TOKENS,
                temperature=omit if self.settings.temperature is None else self.settings.temperature,
            )
        except openai.APITimeoutError as error:
            raise ModelUnavailable("slow") from error
        except openai.APIConnectionError as error:
            raise ModelUnavailable("unreachable") from error
        except openai.APIStatusError as error:
            raise ModelUnavailable("refused" if error.status_code < 500 else "failed") from error
        except (openai.OpenAIError, ValueError) as error:
            raise ModelUnavailable("unusable") from error
        if monotonic() - started > self.settings.timeout_s:
            raise ModelUnavailable("slow")
        text = (answer.choices[0].message.content or "").strip() if answer.choices else ""
        if not text:
            raise ModelUnavailable("unusable")
        return text

    @cached_property
    def _client(self) -> "OpenAI":
        from openai import OpenAI  # noqa: PLC0415

        return OpenAI(
            base_url=self.settings.base_url,
            api_key=self.settings.api_key.get_secret_value() or "none",
            timeout=min(self.settings.timeout_s, LONGEST_TIMEOUT_S),
            max_retries=0,
        )
