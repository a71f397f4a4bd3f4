"""Creates the tables, the first key and the demo logins; run it as often as you like."""

from users_service.prepare import prepare
from users_service.settings import Settings

prepare(Settings())
