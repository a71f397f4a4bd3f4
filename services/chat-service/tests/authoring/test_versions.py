"""Versions are published by authors, as a whole or not at all, and never change."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cogniflow_dev.testing.tokens import headers

YAML = {"Content-Type": "application/yaml"}


def test_students_and_researchers_are_kept_out(client, tokens, small, publish):
    publish(small())
    for role in ("student", "researcher"):
        as_role = headers(tokens.user(role))
        calls = [
            client.post("/api/programs/validate", content=b"a", headers=as_role | YAML),
            client.post("/api/programs/small/versions", content=b"a", headers=as_role | YAML),
            client.get("/api/programs/small/versions", headers=as_role),
            client.get("/api/programs/small/versions/1/source", headers=as_role),
            client.get("/api/programs/small/versions/1/diff/1", headers=as_role),
        ]
        assert [call.status_code for call in calls] == [403] * 5


def test_an_unsound_program_is_refused_with_every_place(client, as_author, small, publish):
    content = small()
    content["weeks"][0]["questions"][1]["question_text"] = "And {nmae}?"
    content["weeks"][1]["questions"][0]["prompts"][0]["response_text"] = "See {Answer to question 5}."
    checked = client.post(
        "/api/programs/validate", content=yaml.safe_dump(content).encode(), headers=as_author | YAML
    )
    assert checked.status_code == 200
    found = checked.json()
    assert (found["valid"], found["more"]) == (False, 0)
    places = [(one["week"], one["question"], one["prompt"]) for one in found["problems"]]
    assert places == [(1, 2, None), (2, 1, "scenario_1_respond")]
    assert found["problems"][0]["message"].startswith("{nmae} is neither")
    refused = publish(content)
    assert (refused.status_code, refused.json()["code"]) == (422, "program_not_sound")
    assert [one["field"] for one in refused.json()["errors"]] == [
        "week 1, question 2", "week 2, question 1, prompt scenario_1_respond",
    ]  # fmt: skip
    assert client.get("/api/programs/small/versions", headers=as_author).status_code == 404


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "line 2, column 1: "),
        ("a: &x [1]\nb: *x", "line 1, column 4: anchors and aliases"),
        ("a: !!python/name:os.system x", "line 1, column 4: tags are not used here"),
        ("[" * 50 + "]" * 50, "line 1, column 21: nested more than 20 levels deep"),
        ('title: "\\0"', "line 1, column 8: a NUL character"),
        ("version: 99999999999", "line 1, column 10: numbers go to"),
        ("version: 2020-13-45", "line 1, column 10: this is neither a number nor a date"),
        ("title: a\ntitle: b", "line 2, column 1: title is given twice"),
        ("just words", "must be keys with values"),
        ("weeks: [a, {}]", "1, None, None: must be keys with values"),
        ("weeks: [{week_number: 7, questions: [{prompts: [3]}]}]", "7, 1, 1: must be keys with values"),
        ("weeks: [{week_number: 7}]", "title: is missing"),
    ],
)
def test_a_broken_text_is_told_what_breaks_it(client, as_author, text, message):
    found = client.post("/api/programs/validate", content=text.encode(), headers=as_author | YAML).json()
    assert found["valid"] is False
    told = [
        f"{one['week']}, {one['question']}, {one['prompt']}: {one['message']}" for one in found["problems"]
    ]
    assert any(message in one for one in told), found


def test_what_is_no_text_or_too_much_is_refused(client, as_author):
    answer = client.post("/api/programs/validate", content=b"\xff\xfe\x00", headers=as_author | YAML)
    assert answer.status_code == 422
    answer = client.post("/api/programs/validate", content=b"#" * 1_000_001, headers=as_author | YAML)
    assert answer.status_code == 413
    assert client.post("/api/programs/validate", headers=as_author).status_code == 422


def test_too_many_problems_are_counted_and_not_listed(client, as_author, small):
    content = small()
    content["weeks"] = [
        {**content["weeks"][0], "week_number": one, "more": 1, "most": 2, "xs": 3} for one in range(1, 101)
    ]
    text = yaml.dump(content, Dumper=_Plain)
    found = client.post("/api/programs/validate", content=text.encode(), headers=as_author | YAML).json()
    assert (len(found["problems"]), found["more"]) == (200, 100)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


mutations = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_whatever_breaks_the_service(client, as_author, small, data):
    """Any part of a sound program is replaced by anything: it is told so, or it is sound all the same."""
    content = small()
    part = content
    while True:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if isinstance(part[key], (dict, list)) and part[key] and data.draw(st.booleans()):
            part = part[key]
        else:
            part[key] = data.draw(mutations)
            break
    text = yaml.safe_dump(content, allow_unicode=True)
    checked = client.post("/api/programs/validate", content=text.encode(), headers=as_author | YAML)
    assert checked.status_code == 200, checked.text
    published = client.post("/api/programs/small/versions", content=text.encode(), headers=as_author | YAML)
    expected = (200, 201, 409, 422) if checked.json()["valid"] else (422,)
    assert published.status_code in expected, published.text


def test_a_version_is_published_once(client, as_author, tokens, small, publish):
    first = publish(small())
    assert first.status_code == 201
    assert first.json()["labels"] == []
    again = publish("# with a comment\n" + yaml.safe_dump(small(), sort_keys=True, width=40))
    assert (again.status_code, again.json()) == (200, first.json())
    changed = publish({**small(), "title": "Other"})
    assert (changed.status_code, changed.json()["code"]) == (409, "version_taken")


def test_a_program_is_published_under_its_own_address(small, publish):
    refused = publish(small(), slug="other")
    assert (refused.status_code, refused.json()["code"]) == (422, "other_slug")
    refused = publish(small(slug="sessions"))
    assert (refused.status_code, refused.json()["code"]) == (422, "program_not_sound")


def test_versions_are_listed_newest_first(client, as_author, as_admin, small, publish):
    for number in (1, 2, 3):
        publish(small(number))
    for label in ("production", "candidate"):
        client.put(f"/api/programs/small/labels/{label}", json={"version": 2}, headers=as_admin)
    path = "/api/programs/small/versions"
    page = client.get(f"{path}?limit=2", headers=as_author).json()
    assert [(one["version"], one["labels"]) for one in page["items"]] == [
        (3, []), (2, ["candidate", "production"]),
    ]  # fmt: skip
    rest = client.get(f"{path}?limit=2&cursor={page['next_cursor']}", headers=as_author).json()
    assert [one["version"] for one in rest["items"]] == [1]
    assert rest["next_cursor"] is None
    assert client.get("/api/programs/nowhere/versions", headers=as_author).status_code == 404


def test_what_is_exported_is_the_version_itself(client, as_author, small, publish):
    version = publish(small()).json()
    exported = client.get("/api/programs/small/versions/1/source", headers=as_author)
    assert exported.headers["content-type"] == "application/yaml"
    assert publish(exported.text).json() == version
    assert client.get("/api/programs/small/versions/2/source", headers=as_author).status_code == 404
    assert client.get("/api/programs/nowhere/versions/1/source", headers=as_author).status_code == 404


def test_a_bundled_program_survives_export_and_import(client, as_author, publish):
    for slug in ("driven",):
        versions = client.get(f"/api/programs/{slug}/versions", headers=as_author).json()["items"]
        number = versions[0]["version"]
        assert (versions[0]["labels"], versions[0]["published_by"]) == (["production"], None)
        text = client.get(f"/api/programs/{slug}/versions/{number}/source", headers=as_author).text
        assert publish(text, slug=slug).json() == versions[0]


def test_a_comparison_names_every_change(client, as_author, small, publish):
    publish(small())
    other = small(2, questions=(2, 2, 1))
    other["coach"] = "ADA"
    question = other["weeks"][0]["questions"][0]
    question["question_text"] = "What first?"
    question["prompts"][0]["response_text"] = "Thanks.\nReally."
    question["prompts"].append({"prompt_type": "validation", "prompt_text": "?", "conditions": {"items": [
        {"name": "a word", "ask": "Say a word.", "rule": {"any_of": ["word"]}}]}})  # fmt: skip
    assert publish(other).status_code == 201
    path = "/api/programs/small/versions"
    found = client.get(f"{path}/1/diff/2", headers=as_author).json()
    assert found["added"] == [program_session(1, 1, prompt="validation"), program_session(3)]
    assert found["removed"] == [program_session(1, 3)]
    assert found["changed"] == [
        {**program_session(), "field": "coach", "old": None, "new": "ADA"},
        {**program_session(1, 1), "field": "question_text", "old": "Week 1, question 1: what now?",
         "new": "What first?"},
        {**program_session(1, 1, "scenario_1_respond"), "field": "response_text", "old": "Thank you.",
         "new": "Thanks.\nReally."},
    ]  # fmt: skip
    text = client.get(f"{path}/1/diff/2?format=text", headers=as_author)
    assert text.headers["content-type"].startswith("text/plain")
    assert (
        "~ week 1, question 1: question_text\n    - Week 1, question 1: what now?\n    + What first?"
        in text.text
    )
    assert client.get(f"{path}/1/diff/1", headers=as_author).json() == {
        "added": [],
        "removed": [],
        "changed": [],
    }
    assert client.get(f"{path}/1/diff/9", headers=as_author).status_code == 404


def program_session(week=None, question=None, prompt=None, block=None):
    return {"week": week, "question": question, "prompt": prompt, "block": block}


def test_of_many_publishers_of_one_version_one_wins(server, tokens, small):
    as_author = headers(tokens.user("instructor"))

    def send(title: str) -> int:
        text = yaml.safe_dump({**small(), "title": title})
        return server.post(
            "/api/programs/small/versions", content=text.encode(), headers=as_author | YAML
        ).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(send, "abcdef")) == [201, 409, 409, 409, 409, 409]
        assert sorted(pool.map(send, ["a"] * 6)) in ([200] * 6, [409] * 6)
    assert len(server.get("/api/programs/small/versions", headers=as_author).json()["items"]) == 1
