"""The language model that the installation's settings name, as long as they name one."""

from pydantic import SecretStr

from chat_service.platform.language_model.client import LanguageModel, ModelSettings
from chat_service.platform.settings.errors import SecretUnreadable
from chat_service.platform.settings.reader import SettingsReader
from chat_service.platform.settings.registry import (
    LANGUAGE_MODEL,
    LLM_API_KEY,
    LLM_BASE_URL,
    LLM_MODEL,
    LLM_OPTIONS,
    LLM_TIMEOUT,
)


class ConfiguredModel:
    """Keeps one client as long as the settings stay the same, and with it what is known of its failures."""

    def __init__(self, configuration: SettingsReader) -> None:
        self._configuration = configuration
        self._model: LanguageModel | None = None

    def __call__(self) -> LanguageModel | None:
        """None where no model is wanted, or its settings are not complete."""
        settings = self._settings()
        if settings is None:
            return None
        if self._model is None or self._model.settings != settings:
            self._model = LanguageModel(settings)
        return self._model

    def _settings(self) -> ModelSettings | None:
        get = self._configuration.get
        base_url, model = get(LLM_BASE_URL), get(LLM_MODEL)
        if not (get(LANGUAGE_MODEL) and base_url and model):
            return None
        try:
            key = get(LLM_API_KEY)
        except SecretUnreadable:
            return None  # said in the log where the settings are read
        options = get(LLM_OPTIONS)
        return ModelSettings(
            base_url=base_url,
            model=model,
            api_key=SecretStr(key or ""),
            timeout_s=float(get(LLM_TIMEOUT)),
            temperature=options.temperature,
            max_tokens=options.max_tokens,
        )
