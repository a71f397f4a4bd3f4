"""Environment variables of chat-service."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import SecretStr, field_validator, model_validator

from cogniflow_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings from the environment; those that admins change are in `platform/settings`.

    `content_dir`: the folder whose subfolder `programs/` has the bundled programs.
    `spool_dir`: the folder where turns wait while PostgreSQL is unavailable;
    each process needs its own. Without it, such turns are refused.
    `use_db_persistence`: with `false`, program sessions are kept in memory and
    a restart loses them; production requires `lose-sessions` instead.
    `settings_encryption_secret`: encrypts secret settings in the database.
    `settings_encryption_previous`: earlier secrets, separated by commas.
    """

    service: ClassVar[str] = "chat-service"
    schema_name: ClassVar[str] = "chat"

    mongo_url: SecretStr
    content_dir: Path
    spool_dir: Path | None = None
    use_db_persistence: Literal["true", "false", "lose-sessions"] = "true"
    settings_encryption_secret: SecretStr
    settings_encryption_previous: SecretStr = SecretStr("")

    @field_validator("use_db_persistence", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def in_memory(self) -> bool:
        return self.use_db_persistence != "true"

    @model_validator(mode="after")
    def _refuse_to_lose_sessions(self) -> Self:
        if self.cogniflow_env == "production" and self.use_db_persistence == "false":
            raise ValueError(
                "USE_DB_PERSISTENCE=false keeps sessions in memory, and a restart loses them;"
                " if that is meant in production, set USE_DB_PERSISTENCE=lose-sessions"
            )
        return self
