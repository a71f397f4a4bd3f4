"""A module of the second week, as its owner ran it. Nothing here may ever be executed by an import."""

import os
from pathlib import Path
from textwrap import dedent

from flask import Flask

app = Flask(__name__)
app.secret_key = os.environ["FLASK_SECRET"]
Path("/tmp/cogniflow-legacy-was-executed").write_text("it must not be")

week_number: int = 2
MAX_ITERATIONS = 2
VOICE = "You speak as NOVA, briefly and kindly. "

WEEK2_TITLE = "Habits"
WEEK2_DESCRIPTION = "What keeps a habit going, and what stops it."
WEEK2_VIDEO, WEEK2_EXERCISE = "Video: a cue, a routine, a reward.", "Exercise: keep a list of cues for %d days." % 3
WEEK2_ALL = "\n".join([WEEK2_VIDEO, WEEK2_EXERCISE])
WEEK2_NOTE = dedent(
    """
    A slip is no fall.
    """
).strip()
WEEK2_NOTE += " Begin again the next day."
WEEK2_REMOTE = Path("remote.txt").read_text()

QUESTIONS = {
    1: "Which habit would you like to look at, {name}?",
    2: "What was the cue for \"{Answer to question 1}\"?",
} | {3: "Did you try the exercise?"}

SYSTEM_PROMPTS = {
    1: {
        "classifier": VOICE + "SCENARIO_1: one habit they do. SCENARIO_2: a habit they miss. Background: {WEEK2_ALL}",
        "scenario_1_respond": VOICE + f"Name the habit, and quote: {WEEK2_NOTE}",
        "scenario_2_respond": "{voice}Be encouraging about {{name}}.".format(voice=VOICE),
        "temperature": 0.2,
    },
    "2": dict(
        scenario_1_respond=VOICE + "Repeat the cue.",
        validation="Is a cue named?",
        model=os.environ.get("MODEL"),
    ),
}
SYSTEM_PROMPTS[1].update({"followup": "Since when?"})
SYSTEM_PROMPTS[3] = {f"scenario_{n}_respond": VOICE + text for n, text in enumerate(["Cheer.", "Comfort."], 1)}
SYSTEM_PROMPTS[3]["classifier"] = "SCENARIO_1: tried it. SCENARIO_2: did not."
SYSTEM_PROMPTS[4] = {"scenario_1_respond": "Nobody asks this."}


@app.route("/week2")
def week2():
    return {"week": week_number}
