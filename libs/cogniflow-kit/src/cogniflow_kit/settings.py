"""Settings that every service has, read from the environment at start."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDER = "development-only"


class ServiceSettings(BaseSettings):
    """Base of a service's settings; subclasses add fields.

    Raises: ValueError (in production, a secret still has the placeholder value
    that is published in the repository).
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    service: ClassVar[str]
    schema_name: ClassVar[str]

    cogniflow_env: Literal["development", "test", "production"] = "production"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8080"
    users_url: str = "http://127.0.0.1:8001"
    courses_url: str = "http://127.0.0.1:8002"
    chat_url: str = "http://127.0.0.1:8003"
    analytics_url: str = "http://127.0.0.1:8004"
    service_client_secret: SecretStr
    database_url: SecretStr
    redis_url: SecretStr
    demo_data: bool = False
    worker_heartbeat: Path | None = None

    @model_validator(mode="after")
    def _refuse_placeholders(self) -> Self:
        if self.cogniflow_env != "production":
            return self
        published = [
            name.upper()
            for name, value in self
            if isinstance(value, SecretStr) and PLACEHOLDER in value.get_secret_value()
        ]
        if published:
            raise ValueError(
                f"{', '.join(published)} still hold development values; "
                "set secrets of your own, or COGNIFLOW_ENV=development on a machine nobody else reaches"
            )
        return self
