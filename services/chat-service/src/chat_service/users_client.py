"""Client of users-service: the name by which the coach addresses a user."""

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.identity import User


class UsersClient:
    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def first_name(self, user: User) -> str:
        """Return the first word of the user's full name. Raises: Unavailable (users-service failed)"""
        answer = self._client.get_as_user("/api/users/me", user.token)
        if answer.status_code != 200:
            raise Unavailable("users-service doesn't say who you are; try again shortly.")
        full_name = str(answer.json()["full_name"])
        return (full_name.split() or [full_name])[0]
