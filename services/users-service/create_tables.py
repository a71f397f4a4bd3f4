"""Creates tables, the first signing key and the demo accounts. A repetition changes nothing."""

from users_service.bootstrap import bootstrap
from users_service.settings import Settings

bootstrap(Settings())
