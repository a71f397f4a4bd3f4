"""The pages that mailed links lead to."""

import re

import pytest
from sqlalchemy import select

from users_service.tables import Mail

PAGES = "/api/auth/links"
PASSWORD = "another quiet morning"


def link_in_mail(database, settings):
    with database.transaction() as db:
        body = db.scalars(select(Mail.body)).one()
    link = re.search(r"^(http\S+)$", body, re.MULTILINE)[1]
    assert link.startswith(f"{settings.public_url}/")
    return link.removeprefix(settings.public_url)


@pytest.mark.parametrize("query", ["", "?token=", "?token=short", "?token=" + "%3Cscript%3E" * 4])
@pytest.mark.parametrize("page", ["verify-email", "reset-password"])
def test_pages_refuse_malformed_tokens(client, page, query):
    assert client.get(f"{PAGES}/{page}{query}").status_code == 422


def test_a_forged_token_gives_an_error_page(client):
    token = "A" * 43
    for page, form in (("verify-email", {}), ("reset-password", {"password": PASSWORD})):
        answer = client.post(f"{PAGES}/{page}", data={"token": token, **form})
        assert answer.status_code == 403
        assert 'role="alert"' in answer.text


def test_the_link_in_a_mail_opens_a_page_that_sets_the_password(
    client, make_user, forgotten_token, database, settings, log_in
):
    make_user("maja")
    token = forgotten_token("maja")
    link = link_in_mail(database, settings)
    page = client.get(link)
    assert page.status_code == 200
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert client.get(link).status_code == 200, "opening it uses nothing up"
    address = link.split("?")[0]
    refused = client.post(address, data={"token": token, "password": "password123"})
    assert refused.status_code == 422
    assert "easy to guess" in refused.text
    assert "password123" not in refused.text
    assert client.post(address, data={"token": token, "password": PASSWORD}).status_code == 200
    assert log_in(client, "maja", PASSWORD).status_code == 200
    assert client.post(address, data={"token": token, "password": PASSWORD}).status_code == 403


def test_the_link_in_a_mail_opens_a_page_that_confirms_the_address(client, database, settings, log_in):
    person = {"username": "eva", "email": "eva@example.org", "full_name": "Eva", "password": PASSWORD}
    client.post("/api/auth/register", json=person)
    link = link_in_mail(database, settings)
    assert client.get(link).status_code == 200
    address, token = link.split("?token=")
    assert client.post(address, data={"token": token}).status_code == 200
    assert client.post(address, data={"token": token}).status_code == 403
    headers = {"Authorization": f"Bearer {log_in(client, 'eva', PASSWORD).json()['access_token']}"}
    assert client.get("/api/users/me", headers=headers).json()["email_verified_at"] is not None
