"""Settings of analytics-service, read from the environment."""

from typing import ClassVar

from pydantic import SecretStr

from cogniflow_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    service: ClassVar[str] = "analytics-service"
    schema_name: ClassVar[str] = "analytics"

    mongo_url: SecretStr
