"""Authors, and a small program that they change."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import yaml

from cogniflow_dev.testing.tokens import TokenMint, headers

Publish = Callable[..., httpx.Response]


@pytest.fixture
def as_admin(tokens: TokenMint) -> dict[str, str]:
    return headers(tokens.user("admin"))


@pytest.fixture
def as_author(tokens: TokenMint) -> dict[str, str]:
    return headers(tokens.user("instructor"))


@pytest.fixture
def small() -> Callable[..., dict[str, Any]]:
    """A program of two weeks; `questions`: how many each has."""

    def question(week: int, number: int) -> dict[str, Any]:
        return {
            "question_number": number,
            "question_text": f"Week {week}, question {number}: what now?",
            "prompts": [
                {"prompt_type": "scenario_1_respond", "prompt_text": "Thank.", "response_text": "Thank you."}
            ],
        }

    def make(version: int = 1, questions: tuple[int, ...] = (3, 2), slug: str = "small") -> dict[str, Any]:
        return {
            "slug": slug,
            "version": version,
            "title": "Small steps",
            "description": "Two weeks of small steps.",
            "weeks": [
                {
                    "week_number": week,
                    "name": f"Week {week}",
                    "title": f"Step {week}",
                    "description": "One step.",
                    "questions": [question(week, number) for number in range(1, count + 1)],
                }
                for week, count in enumerate(questions, start=1)
            ],
        }

    return make


@pytest.fixture
def publish(client: Any, as_author: dict[str, str]) -> Publish:
    """Hand a program in, as content or as text; published under its own slug unless told otherwise."""

    def send(program: dict[str, Any] | str, slug: str | None = None, **more: Any) -> httpx.Response:
        text = program if isinstance(program, str) else yaml.safe_dump(program, allow_unicode=True)
        where = slug or (program["slug"] if isinstance(program, dict) else "small")
        answer: httpx.Response = client.post(
            f"/api/programs/{where}/versions",
            content=text.encode(),
            headers={**as_author, "Content-Type": "application/yaml", **more},
        )
        return answer

    return send
