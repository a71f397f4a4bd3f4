"""What Maja does in DRIVEN, over several evenings and on two devices."""

import io
from typing import Any

from gateway_people import Person
from pypdf import PdfReader
from taking_part import WEEK_1, TakingPart, begin

OTHER_STEP = "I will write to my manager on Thursday at noon, confidence 9."
SPOKEN = "I sent the e-mail on Thursday and noticed that I had been nervous for nothing."


class CoachEngine:
    """One session of DRIVEN; every step checks what the learner would see."""

    def __init__(self, maja: Person) -> None:
        self.session = begin(maja.http, "driven")
        self.before: dict[str, Any] = {}

    def begin_the_first_week(self) -> None:
        for text in WEEK_1[:2]:
            reply = self.session.say(text)
        assert reply["question"]["number"] == 2, "the coach has one thing more to ask"
        self.session.pause()
        refused = self.session.send("Am I heard?", "while-paused")
        assert (refused.status_code, refused.json()["code"]) == (409, "session_paused")

    def go_on_elsewhere(self, device: Person) -> None:
        """The same account on another device."""
        there = TakingPart(device.http, self.session.id)
        assert there.read()["paused"] is True
        assert there.heard() == list(WEEK_1[:2])
        assert there.resume()["paused"] is False
        device.http.close()
        for text in WEEK_1[2:]:
            reply = self.session.say(text)
        assert reply["week_completed"] is True
        assert reply["question"]["week"] == 2
        assert WEEK_1[-1] in reply["question"]["text"], "the coach remembers the step"

    def read_the_first_week_back(self) -> None:
        week = self.session.read("/weeks/1")
        assert (week["is_completed"], week["run"]) == (True, 1)
        assert week["kept"] == {"goal": WEEK_1[3], "first_step": WEEK_1[-1]}
        said = [message["message_text"] for message in week["messages"] if message["sender"] == "user"]
        assert said == list(WEEK_1)
        locked = self.session.get("/weeks/3")
        assert (locked.status_code, locked.json()["code"]) == (404, "week_not_begun")

    def do_the_first_week_again(self) -> None:
        reply = self.session.restart(1)
        assert (reply["question"]["week"], reply["question"]["number"]) == (1, 1)
        for text in (*WEEK_1[:-1], OTHER_STEP):
            reply = self.session.say(text)
        assert OTHER_STEP in reply["question"]["text"]
        week = self.session.read("/weeks/1")
        assert (week["run"], week["kept"]["first_step"]) == (2, OTHER_STEP)
        assert {message["run"] for message in week["messages"]} == {1, 2}, "the first time stays on record"

    def speak(self) -> None:
        self.session.say(SPOKEN, message_type="voice", recording_ref="memo-17")
        [spoken] = [
            message for message in self.session.read()["messages"] if message["message_type"] == "voice"
        ]
        assert (spoken["message_text"], spoken["recording_ref"]) == (SPOKEN, "memo-17")

    def take_it_home(self) -> None:
        """Transcript and summary."""
        markdown = self.session.get("/transcript", format="markdown", timezone="Europe/Ljubljana")
        assert markdown.raise_for_status().headers["Content-Type"].startswith("text/markdown")
        paper = self.session.get("/transcript", format="pdf").raise_for_status()
        pages = PdfReader(io.BytesIO(paper.content)).pages
        printed = "".join("".join(page.extract_text() for page in pages).split())
        # Punctuation is escaped in one and typeset in the other; these have none that would be.
        for text in (WEEK_1[1], WEEK_1[4], SPOKEN):
            assert "".join(text.split()) in printed
        for text in (WEEK_1[4], OTHER_STEP):
            assert text in markdown.text
        taken = self.session.http.post(f"{self.session.path}/summary")
        assert taken.status_code == 201
        [first, second] = taken.json()["summary"]["weeks"]
        assert first["kept"] == {"goal": WEEK_1[3], "first_step": OTHER_STEP}
        assert SPOKEN in str(second["answers"])
        assert self.session.http.post(f"{self.session.path}/summary").status_code == 200, "kept already"
        self.before = self.session.read()

    def is_all_there(self) -> None:
        assert self.session.read() == self.before
        restarts = [text for text in self.session.heard() if text.startswith("Restart week")]
        assert [text for text in self.session.heard() if text not in restarts] == self.session.said
