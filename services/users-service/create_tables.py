"""Creates the tables, the first key and the demo logins; run it as often as you like."""

from users_service.bootstrap import bootstrap
from users_service.settings import Settings

bootstrap(Settings())
