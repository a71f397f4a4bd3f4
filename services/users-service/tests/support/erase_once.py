"""One pass of an erasure in a process of its own, for tests that kill it: `erase_once.py REQUEST_ID`."""

import sys

from cogniflow_kit.sql.database import Database
from users_service.privacy.erasure_job import ErasureJob
from users_service.privacy.erasure_ledger import ErasureLedger
from users_service.privacy.personal_data import other_services, own_personal_data
from users_service.settings import Settings

settings = Settings()
database = Database(settings.database_url.get_secret_value(), application="tests")
job = ErasureJob(
    database, ErasureLedger(settings.erasure_ledger), other_services(settings), own_personal_data(database)
)
job.run({"request_id": sys.argv[1]})
