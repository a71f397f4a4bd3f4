"""A model of logins beside the real thing: what a token is good for, whatever was done before."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
import time_machine
from fastapi.testclient import TestClient
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from jose import jwt
from sqlalchemy import delete, select

from cogniflow_kit.ids import new_id
from users_service.login.rate_limits import PER_ACCOUNT, WINDOW
from users_service.login.service import ACCESS_LIFETIME_S, GRACE, REFRESH_LIFETIME
from users_service.tables import LoginFailure, RefreshToken, Revocation, User

ROLES = ("student", "instructor", "researcher", "admin")
MOMENTS_S = (1, 4, 9, 10, 11, 12, 60, 299, 300, 301)
AGES_S = (901, 86_400, 29 * 86_400, 31 * 86_400)
PASSWORD = "correct horse battery"
LONG_AGO = datetime.min.replace(tzinfo=UTC)
# So that no two steps happen at the same moment.
TICK = timedelta(milliseconds=1)


@dataclass
class Account:
    id: UUID
    username: str
    role: str = "student"
    locked: bool = False
    changed_at: datetime = LONG_AGO
    failures: list[datetime] = field(default_factory=list)


@dataclass
class Link:
    """One refresh token of a line."""

    token: str
    issued_at: datetime
    spent_at: datetime | None = None


@dataclass
class Line:
    """A session with all the refresh tokens that it ever had, the newest last."""

    id: UUID
    account: Account
    links: list[Link] = field(default_factory=list)
    ended: bool = False


@dataclass
class Access:
    token: str
    line: Line
    role: str
    issued_at: datetime

    def is_good(self, now: datetime) -> bool:
        expires_at = int(self.issued_at.timestamp()) + ACCESS_LIFETIME_S
        in_force = not self.line.ended and self.issued_at >= self.line.account.changed_at
        return in_force and now.timestamp() < expires_at


class SessionMachine(RuleBasedStateMachine):
    """Two accounts, their logins on several devices, an admin, and a clock."""

    client: ClassVar[TestClient]
    hashed_password: ClassVar[str]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.now(UTC)
        self.clock = time_machine.travel(self.now, tick=False)
        self.traveler = self.clock.start()
        self.database = self.client.app.state.database  # type: ignore[attr-defined]
        self.lines: list[Line] = []
        self.accesses: list[Access] = []
        with self.database.transaction() as session:
            session.execute(delete(LoginFailure))
            session.execute(delete(Revocation))
        self.accounts = [self._account("student") for _ in range(2)]
        self.admin = self._account("admin")

    def teardown(self) -> None:
        self.clock.stop()

    # -- what people do

    @rule(who=st.integers(0, 1))
    def log_in(self, who: int) -> None:
        account = self.accounts[who]
        recent = [moment for moment in account.failures if moment > self._tick() - WINDOW]
        answer = self.client.post(
            "/api/auth/token", data={"username": account.username, "password": PASSWORD}
        )
        if len(recent) >= PER_ACCOUNT:
            assert answer.status_code == 429
        elif account.locked:
            assert answer.status_code == 401
            account.failures.append(self.now)
        else:
            assert answer.status_code == 200, answer.text
            account.failures.clear()
            line = Line(UUID(jwt.get_unverified_claims(answer.json()["access_token"])["sid"]), account)
            self.lines.append(line)
            self._keep(line, answer)

    @precondition(lambda self: self.lines)
    @rule(which=st.integers(0, 2))
    def refresh(self, which: int) -> None:
        """As clients should, with the newest token of one of the latest lines."""
        self._refresh(which, back=0)

    @precondition(lambda self: self.lines)
    @rule(which=st.integers(0, 2))
    def refresh_twice(self, which: int) -> None:
        """The answer was lost on the way."""
        self._refresh(which, back=1)

    @precondition(lambda self: self.lines)
    @rule(which=st.integers(0, 2), back=st.integers(2, 4))
    def reuse(self, which: int, back: int) -> None:
        """A copy that somebody kept."""
        self._refresh(which, back)

    def _refresh(self, which: int, back: int) -> None:
        line = self.lines[-1 - which % len(self.lines)]
        position = max(0, len(line.links) - 1 - back)
        link = line.links[position]
        following = line.links[position + 1] if position + 1 < len(line.links) else None
        self._tick()
        answer = self.client.post("/api/auth/refresh", json={"refresh_token": link.token})
        if line.ended or line.account.locked or self.now >= link.issued_at + REFRESH_LIFETIME:
            assert answer.status_code == 401
        elif link.spent_at is None:
            assert answer.status_code == 200, answer.text
            link.spent_at = self.now
            known = {known.token for other in self.lines for known in other.links}
            assert answer.json()["refresh_token"] not in known
            self._keep(line, answer)
        elif following and following.spent_at is None and self.now - link.spent_at <= GRACE:
            assert answer.status_code == 200, answer.text
            assert answer.json()["refresh_token"] == following.token
            self.accesses.append(self._access(line, answer))
        else:
            assert answer.status_code == 401
            line.ended = True
        self._check_line(line)

    @precondition(lambda self: self.accesses)
    @rule(which=st.integers(0, 20))
    def read(self, which: int) -> None:
        self._read(self._one_of(which))

    @precondition(lambda self: self.accesses)
    @rule(which=st.integers(0, 20), everywhere=st.booleans())
    def log_out(self, which: int, everywhere: bool) -> None:
        access = self._one_of(which)
        good = access.is_good(self._tick())
        method, path = ("DELETE", "/api/auth/sessions") if everywhere else ("POST", "/api/auth/logout")
        answer = self.client.request(method, path, headers=self._headers(access))
        assert answer.status_code == (204 if good else 401)
        if good:
            self._end(access.line.account if everywhere else None, access.line)
        self._read_latest(access.line.account)

    # -- what admins do

    @rule(who=st.integers(0, 1))
    def lock(self, who: int) -> None:
        account = self.accounts[who]
        self._administer("POST", f"/api/users/{account.id}/lock")
        if not account.locked:
            account.locked, account.changed_at = True, self.now
            self._end(account)
        self._read_latest(account)

    @rule(who=st.integers(0, 1))
    def unlock(self, who: int) -> None:
        self._administer("POST", f"/api/users/{self.accounts[who].id}/unlock")
        self.accounts[who].locked = False

    @rule(who=st.integers(0, 1), role=st.sampled_from(ROLES))
    def change_role(self, who: int, role: str) -> None:
        account = self.accounts[who]
        self._administer("PUT", f"/api/users/{account.id}/role", json={"role": role})
        if role != account.role:
            account.role, account.changed_at = role, self.now
        self._read_latest(account)

    # -- time

    @rule(seconds=st.sampled_from(MOMENTS_S))
    def step_clock(self, seconds: int) -> None:
        self._tick(timedelta(seconds=seconds))

    @precondition(lambda self: self.lines and len(self.accesses) % 5 == 0)
    @rule(seconds=st.sampled_from(AGES_S))
    def step_clock_far(self, seconds: int) -> None:
        self._tick(timedelta(seconds=seconds))

    @invariant()
    def count(self) -> None:
        type(self).steps += 1

    # -- parts

    def _tick(self, by: timedelta = TICK) -> datetime:
        self.now += by
        self.traveler.move_to(self.now, tick=False)
        return self.now

    def _account(self, role: str) -> Account:
        account = Account(new_id(), f"m-{uuid4().hex[:12]}", role)
        with self.database.transaction() as session:
            session.add(
                User(
                    id=account.id,
                    username=account.username,
                    email=f"{account.username}@example.org",
                    full_name="Some One",
                    hashed_password=self.hashed_password,
                    role=role,
                )
            )
        return account

    def _administer(self, method: str, path: str, **kwargs: Any) -> None:
        self._tick()
        login = {"username": self.admin.username, "password": PASSWORD}
        logged_in = self.client.post("/api/auth/token", data=login)
        assert logged_in.status_code == 200, logged_in.text
        headers = {"Authorization": f"Bearer {logged_in.json()['access_token']}"}
        answer = self.client.request(method, path, headers=headers, **kwargs)
        assert answer.status_code == 200, answer.text

    def _read(self, access: Access) -> None:
        good = access.is_good(self._tick())
        me = self.client.get("/api/users/me", headers=self._headers(access))
        everyone = self.client.get("/api/users/", headers=self._headers(access))
        teaches = access.role in ("instructor", "admin")
        assert me.status_code == (200 if good else 401)
        assert everyone.status_code == ((200 if teaches else 403) if good else 401)

    def _read_latest(self, account: Account) -> None:
        """What happened to an account shows at once in the tokens that it has."""
        for access in [access for access in self.accesses if access.line.account is account][-3:]:
            self._read(access)

    def _one_of(self, which: int) -> Access:
        return self.accesses[-1 - which % len(self.accesses)]

    def _headers(self, access: Access) -> dict[str, str]:
        return {"Authorization": f"Bearer {access.token}"}

    def _keep(self, line: Line, answer: httpx.Response) -> None:
        line.links.append(Link(answer.json()["refresh_token"], self.now))
        self.accesses.append(self._access(line, answer))

    def _access(self, line: Line, answer: httpx.Response) -> Access:
        access = Access(answer.json()["access_token"], line, line.account.role, self.now)
        claims = jwt.get_unverified_claims(access.token)
        expected = {"sub": str(line.account.id), "sid": str(line.id), "role": line.account.role}
        assert {name: claims[name] for name in expected} == expected
        return access

    def _end(self, account: Account | None, only: Line | None = None) -> None:
        for line in self.lines:
            if line is only or line.account is account:
                line.ended = True

    def _check_line(self, line: Line) -> None:
        """The table holds exactly the tokens given out, one of them unspent at most: no second descendant."""
        with self.database.transaction() as session:
            rows = list(session.scalars(select(RefreshToken).where(RefreshToken.session_id == line.id)))
        given_out = {hashlib.sha256(link.token.encode()).hexdigest() for link in line.links}
        assert {row.token_hash for row in rows} == given_out
        assert sum(row.spent_at is None for row in rows) == 1
