"""Real questions about a course: the right lesson is cited, or the tutor says that it doesn't know."""

from pathlib import Path

import pytest
import wordllama
import yaml
from wordllama import WordLlama

from chat_service.embedding import embed
from chat_service.tutor.passages import PASSAGE_WORDS, passages, sentences

QUESTIONS = yaml.safe_load((Path(__file__).parent / "data" / "remembering.yaml").read_text(encoding="utf-8"))[
    "questions"
]


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked["ask"])
def test_the_lesson_that_answers_is_cited(client, question, as_maja, asked):
    said = client.post("/api/chat/message", json=question(asked["ask"]), headers=as_maja).json()
    lessons = [citation["lesson_title"] for citation in said["citations"]]
    assert said["answered"] is (asked["lesson"] is not None)
    assert asked["lesson"] is None or asked["lesson"] in lessons


def test_vectors_are_those_of_wordllama():
    texts = ["What is the forgetting curve?", "x", "Ebbinghaus drew it in 1885. " * 50]
    original = WordLlama.load(dim=256, cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    ours, theirs = embed(texts), original.embed(texts, norm=True, return_np=False)
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_a_course_without_lessons_is_declined(client, platform, maja, question, as_maja):
    empty = platform.add_course("Empty", {})
    platform.enroll(maja, empty)
    said = client.post("/api/chat/message", json=question(course_id=empty.id), headers=as_maja).json()
    assert said["answered"] is False
    assert "no lessons with text" in said["answer"]


@pytest.mark.parametrize("text", ["", "\n\n", "word " * 1000, "One. Two! Three? " * 200, "a\n\nb\n\nc"])
def test_passages_hold_every_word_in_order(text):
    found = passages(text)
    assert " ".join(found).split() == text.split()
    assert all(len(passage.split()) <= PASSAGE_WORDS for passage in found)


def test_sentences_end_where_they_end():
    text = 'Dr. Ebbinghaus learned 2.300 syllables, e.g. "ZOF". He forgot most. "Why?" Nobody knows'
    assert sentences(text) == [
        'Dr. Ebbinghaus learned 2.300 syllables, e.g. "ZOF".',
        "He forgot most.",
        '"Why?"',
        "Nobody knows",
    ]
