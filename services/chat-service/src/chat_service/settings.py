"""What chat-service reads from its environment."""

from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from chat_service.configuration.vault import Vault
from cogniflow_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """`content_dir`: the folder with the bundled programmes, in `programs/`.

    `spool_dir`: where turns are kept on disk while PostgreSQL is away; each
    process needs one of its own. Without it they are refused then.
    `settings_encryption_secret` encrypts secret settings in the database,
    `settings_encryption_previous` are earlier ones, separated by commas.
    """

    service: ClassVar[str] = "chat-service"
    schema_name: ClassVar[str] = "chat"

    mongo_url: SecretStr
    content_dir: Path
    spool_dir: Path | None = None
    settings_encryption_secret: SecretStr
    settings_encryption_previous: SecretStr = SecretStr("")

    @property
    def vault(self) -> Vault:
        return Vault(self.settings_encryption_secret, self.settings_encryption_previous)
