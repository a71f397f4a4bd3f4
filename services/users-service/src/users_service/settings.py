"""What users-service reads from its environment."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from cogniflow_kit.settings import ServiceSettings

DemoPassword = Annotated[SecretStr, Field(min_length=10, max_length=128)]


class Settings(ServiceSettings):
    """`*_client_secret`: the credentials of every service that may ask for a token."""

    service: ClassVar[str] = "users-service"
    schema_name: ClassVar[str] = "users"

    key_encryption_secret: SecretStr
    users_client_secret: SecretStr
    courses_client_secret: SecretStr
    chat_client_secret: SecretStr
    analytics_client_secret: SecretStr
    demo_learner_password: DemoPassword | None = None
    demo_instructor_password: DemoPassword | None = None
    demo_admin_password: DemoPassword | None = None

    def client_secret(self, service: str) -> SecretStr:
        """The secret of `users-service` and so on."""
        return {
            "users-service": self.users_client_secret,
            "courses-service": self.courses_client_secret,
            "chat-service": self.chat_client_secret,
            "analytics-service": self.analytics_client_secret,
        }[service]
