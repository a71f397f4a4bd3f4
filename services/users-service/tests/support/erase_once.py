"""One pass of an erasure in a process of its own, for tests that kill it: `erase_once.py REQUEST_ID`."""

import sys

from cogniflow_kit.sql.database import Database
from users_service.privacy.ledger import Ledger
from users_service.privacy.others import other_services
from users_service.privacy.personal_data import personal_data
from users_service.privacy.pipeline import ErasurePipeline
from users_service.settings import Settings

settings = Settings()
database = Database(settings.database_url.get_secret_value(), application="tests")
pipeline = ErasurePipeline(
    database, Ledger(settings.erasure_ledger), other_services(settings), personal_data(database)
)
pipeline.run({"request_id": sys.argv[1]})
