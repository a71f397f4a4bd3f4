"""Rate limits on wrong passwords. They are in PostgreSQL, so they hold during a Redis outage."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import update

from cogniflow_kit.ids import utc_now
from users_service.login.rate_limits import PER_ACCOUNT, PER_ADDRESS, WINDOW
from users_service.password_hashing import hash_password
from users_service.tables import LoginFailure, User


def guess(client, log_in, login, times):
    return [log_in(client, login, "a wrong guess").status_code for _ in range(times)]


def test_an_account_refuses_further_guesses_for_a_quarter_of_an_hour(client, make_user, log_in, database):
    make_user("maja")
    assert guess(client, log_in, "maja", PER_ACCOUNT) == [401] * PER_ACCOUNT
    refused = log_in(client, "maja")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert refused.headers["Retry-After"] == "900"
    with database.transaction() as db:
        earlier = utc_now() - WINDOW - timedelta(seconds=1)
        db.execute(update(LoginFailure).values(occurred_at=earlier))
    assert log_in(client, "maja").status_code == 200


def test_the_limit_per_account_holds_during_a_redis_outage(client_with, make_user, log_in):
    client = client_with(redis_url="redis://127.0.0.1:9/0")
    make_user("maja")
    assert guess(client, log_in, "maja", PER_ACCOUNT + 1) == [401] * PER_ACCOUNT + [429]
    assert log_in(client, "maja").status_code == 429
    assert guess(client, log_in, "nobody", PER_ACCOUNT + 1) == [401] * PER_ACCOUNT + [429]


def test_an_unknown_account_has_the_same_limit(client, log_in):
    assert guess(client, log_in, "nobody", PER_ACCOUNT + 1) == [401] * PER_ACCOUNT + [429]


def test_a_successful_login_resets_the_accounts_failures(client, make_user, log_in):
    make_user("maja")
    guess(client, log_in, "maja", PER_ACCOUNT - 1)
    assert log_in(client, "maja").status_code == 200
    assert guess(client, log_in, "maja", PER_ACCOUNT) == [401] * PER_ACCOUNT


def test_an_address_that_tries_many_accounts_is_limited(client, make_user, log_in):
    make_user("maja")
    tried = [guess(client, log_in, f"user{n}", 1)[0] for n in range(PER_ADDRESS)]
    assert set(tried) == {401}
    assert log_in(client, "maja").status_code == 429


def test_concurrent_guesses_are_limited_like_sequential_ones(committing_client, log_in):
    client = committing_client
    with client.app.state.database.transaction() as db:
        hashed = hash_password("correct horse battery")
        db.add(User(username="maja", email="m@example.org", full_name="M", hashed_password=hashed))
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(lambda _: log_in(client, "maja", "a wrong guess").status_code, range(3 * PER_ACCOUNT))
        )
    assert answers.count(401) == PER_ACCOUNT
    assert answers.count(429) == 2 * PER_ACCOUNT
