"""What chat-service reads from its environment."""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import SecretStr, field_validator, model_validator

from chat_service.platform.settings.vault import Vault
from cogniflow_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """`content_dir`: the folder with the bundled programs, in `programs/`.

    `spool_dir`: where turns are kept on disk while PostgreSQL is away; each
    process needs one of its own. Without it they are refused then.
    `use_db_persistence` false keeps programs in memory, where a restart
    ends every session; in production that has to be said in so many words,
    as `lose-sessions`.
    `settings_encryption_secret` encrypts secret settings in the database,
    `settings_encryption_previous` are earlier ones, separated by commas.
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

    @property
    def vault(self) -> Vault:
        return Vault(self.settings_encryption_secret, self.settings_encryption_previous)
