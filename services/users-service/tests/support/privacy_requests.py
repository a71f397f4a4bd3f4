"""Requests of exports and erasures, for tests of users-service."""

import io
import zipfile

PASSWORD = "correct horse battery"


def export(client, run_work, person):
    """Make an export and return the files of its archive by name."""
    made = client.post("/api/privacy/export", headers=person.headers).json()
    run_work()
    answer = client.get(f"/api/privacy/exports/{made['id']}/download", headers=person.headers)
    assert answer.status_code == 200, answer.text
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    assert files.testzip() is None
    return {name: files.read(name).decode() for name in files.namelist()}


def erase(client, person, password=PASSWORD):
    return client.post("/api/privacy/erase", json={"password": password}, headers=person.headers)
