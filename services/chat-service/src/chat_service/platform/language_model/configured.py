"""Provides the language model that the settings name."""

from pydantic import SecretStr

from chat_service.platform.language_model.client import LanguageModel, ModelSettings
from chat_service.platform.settings.definitions import (
    LANGUAGE_MODEL,
    LLM_API_KEY,
    LLM_BASE_URL,
    LLM_MODEL,
    LLM_OPTIONS,
    LLM_TIMEOUT,
)
from chat_service.platform.settings.errors import SecretUnreadable
from chat_service.platform.settings.reader import SettingsReader


class ConfiguredModel:
    """Returns the same client while the settings stay the same; its circuit breaker keeps its state."""

    def __init__(self, settings_reader: SettingsReader) -> None:
        self._settings_reader = settings_reader
        self._model: LanguageModel | None = None

    def __call__(self) -> LanguageModel | None:
        """Return the model; None when it is switched off or its settings are incomplete."""
        settings = self._settings()
        if settings is None:
            return None
        if self._model is None or self._model.settings != settings:
            self._model = LanguageModel(settings)
        return self._model

    def _settings(self) -> ModelSettings | None:
        get = self._settings_reader.get
        base_url, model = get(LLM_BASE_URL), get(LLM_MODEL)
        if not (get(LANGUAGE_MODEL) and base_url and model):
            return None
        try:
            key = get(LLM_API_KEY)
        except SecretUnreadable:
            return None  # the settings reader has logged it
        options = get(LLM_OPTIONS)
        return ModelSettings(
            base_url=base_url,
            model=model,
            api_key=SecretStr(key or ""),
            timeout_s=float(get(LLM_TIMEOUT)),
            temperature=options.temperature,
            max_tokens=options.max_tokens,
        )
