"""One store or service away: what doesn't need it goes on, the rest says 503 and when to come back."""

from pydantic import SecretStr

from cogniflow_kit.sql.database import Database

CLOSED = "http://127.0.0.1:9"
NO_MONGO = SecretStr("mongodb://127.0.0.1:9/cogniflow_chat?directConnection=true")


def away(answer) -> bool:
    return (
        answer.status_code == 503
        and answer.json()["code"] == "service_unavailable"
        and int(answer.headers["Retry-After"]) > 0
    )


def test_without_mongodb_the_programs_go_on(make_client, database, question, as_maja):
    with make_client(database, mongo_url=NO_MONGO) as client:
        assert away(client.post("/api/chat/message", json=question(), headers=as_maja))
        assert away(client.get("/api/chat/conversations", headers=as_maja))
        session = client.post("/api/programs/driven/start", headers=as_maja).json()
        body = {"text": "I was at work and thought about the whole week.", "client_message_id": "one"}
        path = f"/api/programs/sessions/{session['id']}"
        assert client.post(f"{path}/answer", json=body, headers=as_maja).status_code == 200
        assert client.get(path, headers=as_maja).json()["version"] == 2
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert [ready.json()["stores"][name]["ok"] for name in ("postgresql", "mongodb")] == [True, False]
        assert client.get("/health/live").status_code == 200


def test_without_postgresql_conversations_can_be_read(
    client, make_client, mongo, question, as_maja, stored_turns
):
    asked = question()
    first = client.post("/api/chat/message", json=asked, headers=as_maja).json()
    gone = Database("postgresql+psycopg2://chat@127.0.0.1:9/cogniflow", application="tests")
    with make_client(gone) as lonely:
        listed = lonely.get("/api/chat/conversations", headers=as_maja).json()["items"]
        assert [talk["id"] for talk in listed] == [first["conversation_id"]]
        assert lonely.post("/api/chat/message", json=asked, headers=as_maja).json() == first
        assert away(lonely.get("/api/programs", headers=as_maja))
        assert away(lonely.post("/api/programs/driven/start", headers=as_maja))
        new = question("What is sleep for?", conversation_id=first["conversation_id"])
        assert away(lonely.post("/api/chat/message", json=new, headers=as_maja))
    assert [turn["status"] for turn in stored_turns()] == ["completed", "failed"]
    again = client.post("/api/chat/message", json=new, headers=as_maja).json()
    assert (again["sequence"], again["answered"]) == (2, True)


def test_without_courses_service_nothing_is_asked(
    make_client, database, mongo, question, as_maja, stored_turns
):
    with make_client(database, courses_url=CLOSED) as client:
        assert away(client.post("/api/chat/message", json=question(), headers=as_maja))
    assert stored_turns() == []


def test_without_users_service_no_program_begins(make_client, database, as_maja):
    with make_client(database, users_url=CLOSED) as client:
        assert away(client.post("/api/programs/driven/start", headers=as_maja))
        named = client.post("/api/programs/driven/start", json={"name": "Maja"}, headers=as_maja)
        assert named.status_code == 201


def test_a_course_never_read_waits_for_its_lessons(client, platform, question, as_maja, stored_turns):
    platform.lessons_away = True
    asked = question()
    assert away(client.post("/api/chat/message", json=asked, headers=as_maja))
    assert [turn["status"] for turn in stored_turns()] == ["failed"]
    platform.lessons_away = False
    answered = client.post("/api/chat/message", json=asked, headers=as_maja)
    assert (answered.status_code, answered.json()["sequence"]) == (200, 1)
    assert [turn["epoch"] for turn in stored_turns()] == [2]


def test_an_edited_course_is_answered_from_its_new_text(client, platform, course, question, as_maja):
    client.post("/api/chat/message", json=question(), headers=as_maja)
    course.lessons[0]["text"] = "The forgetting curve of Ebbinghaus was redrawn by Murre and Dros in 2015."
    course.version = 2
    said = client.post("/api/chat/message", json=question(), headers=as_maja).json()
    assert "Murre and Dros" in said["answer"]


def test_an_edited_course_is_answered_from_its_old_text_when_the_new_cannot_be_read(
    client, platform, course, question, as_maja
):
    client.post("/api/chat/message", json=question(), headers=as_maja)
    course.version = 2
    platform.lessons_away = True
    said = client.post("/api/chat/message", json=question(), headers=as_maja)
    assert (said.status_code, said.json()["answered"]) == (200, True)
