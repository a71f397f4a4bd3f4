"""Builds a program from week modules and lists what its author still has to write.

The prompts of the older system instruct a language model; learners never saw
them. They become `prompt_text` unchanged. Where the coach must be able to
answer without a model, `response_text` is one plain sentence of ours, and the
draft lists the week_number for the author.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from legacy_import.ledger import Ledger
from legacy_import.week_modules.week import QuestionDraft, WeekModule

THANK_YOU = "Thank you, {name}. I have noted what you said."
THANK_YOU_AGAIN = "Thank you, {name}. I have noted that as well."
PLAIN_ANSWER = "Thank {name} for the answer, in one sentence."
PLAIN_CLASSIFIER = "Tell which of the scenarios the answer fits."
TELL_MORE = "Would you like to say a little more about that?"
NO_EXAMPLE = "(an example of scenario {}, to be written)"
ASK_AGAIN = "Could you say it in a few words, {name}?"

_SCENARIO_TEXT = re.compile(
    r"SCENARIO[ _](\d+)\s*[:=–-]\s*(.+?)(?=SCENARIO[ _]\d|\n|\.\s|\.?$)", re.DOTALL | re.I
)
_ANSWER = re.compile(r"\{\s*answer to question\s+(\d+)\s*\}", re.IGNORECASE)
_NAMED = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
_LONGEST_EXAMPLE = 200
_LONGEST_BLOCK = 100_000


@dataclass(frozen=True)
class Todo:
    """Something that the author has to write. Week and question numbers are the module's."""

    week: int
    question: int | None
    prompt: str | None
    needs: str


@dataclass
class ProgramDraft:
    slug: str
    weeks: list[dict[str, Any]] = field(default_factory=list)
    todos: list[Todo] = field(default_factory=list)

    def yaml(self, version: int = 1) -> str:
        title = self.slug.replace("-", " ").capitalize()
        program = {
            "slug": self.slug,
            "version": version,
            "title": title,
            "description": "Taken over from week modules.",
            "weeks": self.weeks,
        }
        return yaml.safe_dump(program, sort_keys=False, allow_unicode=True, width=100)


class DraftBuilder:
    """Builds a ProgramDraft: sorts the weeks and converts each question."""

    def __init__(self, slug: str, ledger: Ledger) -> None:
        self._draft = ProgramDraft(slug)
        self._ledger = ledger
        self._blocks: dict[str, str] = {}

    def build(self, modules: Sequence[WeekModule]) -> ProgramDraft:
        """The modules must have different week numbers."""
        ordered = sorted(modules, key=lambda module: module.number)
        for week_number, module in enumerate(ordered, start=1):
            if week_number != module.number:
                renumbered = f"week {module.number} becomes the program's week {week_number}"
                self._ledger.warn(module.path, f"{renumbered}: earlier weeks are missing; its name stays")
            self._draft.weeks.append(self._week(week_number, module))
        return self._draft

    def _week(self, week_number: int, module: WeekModule) -> dict[str, Any]:
        missing = sorted(set(range(1, max(module.questions) + 1)) - module.questions.keys())
        if missing:
            numbers = ", ".join(map(str, missing))
            self._ledger.warn(module.path, f"week {module.number} has a gap: no question {numbers}")
        if not module.title:
            self._add_todo(module, None, None, "a title")
        if not module.description:
            self._add_todo(module, None, None, "a description for learners")
        return {
            "week_number": week_number,
            "name": f"Week {module.number}",
            "title": module.title or f"Week {module.number}",
            "description": module.description,
            "content_blocks": self._content_blocks(module),
            "questions": [
                self._question(module, number, question)
                for number, question in sorted(module.questions.items())
            ],
        }

    def _content_blocks(self, module: WeekModule) -> list[dict[str, str]]:
        """Blocks of a week, with nested blocks inserted, without those that an earlier week has."""
        kept: list[dict[str, str]] = []
        for name, text in module.blocks.items():
            whole = _with_blocks(text, {**self._blocks, **module.blocks})
            if "{" in whole or "}" in whole:
                self._inline_block(module, name, whole)
                continue
            if self._blocks.get(name) == whole:
                self._ledger.note(module.path, f"{name} is the block of an earlier week, word for word")
                continue
            if name in self._blocks:
                self._ledger.warn(
                    module.path, f"{name} differs from the block of that name in an earlier week"
                )
            kept.append({"block_name": name, "content_text": whole})
        self._blocks |= {block["block_name"]: block["content_text"] for block in kept}
        return kept

    def _inline_block(self, module: WeekModule, name: str, text: str) -> None:
        """Insert a block with placeholders into the prompts that name it; blocks may not have any."""
        placeholder, named = f"{{{name}}}", False
        for question in module.questions.values():
            named |= any(placeholder in given for given in (question.text, *question.prompts.values()))
            question.text = question.text.replace(placeholder, text)
            question.prompts = {
                kind: given.replace(placeholder, text) for kind, given in question.prompts.items()
            }
        if named:
            message = (
                f"{name} has braces, which no block may have: its text goes into the prompts that name it"
            )
            self._ledger.note(module.path, message)
        else:
            self._ledger.count_imported("blocks", -1)
            reason = f"{name} has braces, which no block may have, and no prompt names it"
            self._ledger.skip("blocks", module.path, reason)

    def _question(self, module: WeekModule, number: int, question: QuestionDraft) -> dict[str, Any]:
        prompts = {kind: _normalize_answer_placeholders(text) for kind, text in question.prompts.items()}
        prompts |= self._missing(module, number, prompts)
        entry: dict[str, Any] = {
            "question_number": number,
            "question_text": _normalize_answer_placeholders(question.text),
        }
        if question.question_type != "open_ended":
            entry["question_type"] = question.question_type
        if question.choices:
            entry["choices"] = question.choices
        if "followup" in prompts:
            entry["requires_followup"] = True
        if module.max_iterations != 3:
            entry["max_iterations"] = module.max_iterations
        descriptions = scenario_descriptions(prompts.get("classifier", ""))
        entry["prompts"] = [
            self._prompt(module, number, kind, text, descriptions, last=kind == _last_scenario(prompts))
            for kind, text in prompts.items()
        ]
        if "followup" in prompts and "followup_respond" not in prompts:
            needs = "what NOVA says to the answer to the follow-up; a plain thank-you is used now"
            self._add_todo(module, number, "followup_respond", needs)
            thanks = "Thank {name} for the answer to the follow-up question, in one sentence."
            entry["prompts"].append(
                {"prompt_type": "followup_respond", "prompt_text": thanks, "response_text": THANK_YOU_AGAIN}
            )
        return entry

    def _missing(self, module: WeekModule, number: int, prompts: Mapping[str, str]) -> dict[str, str]:
        """Plain prompts in place of required ones that the module lacks, each with a todo."""
        last = _last_scenario(prompts)
        count = int(last.split("_")[1]) if last else 1
        missing = [kind for n in range(1, count + 1) if (kind := f"scenario_{n}_respond") not in prompts]
        made = dict.fromkeys(missing, PLAIN_ANSWER)
        if count > 1 and "classifier" not in prompts:
            made["classifier"] = PLAIN_CLASSIFIER
        for kind in made:
            self._add_todo(
                module, number, kind, "the prompt itself; the module has none, a plain one is used now"
            )
        return made

    def _prompt(
        self,
        module: WeekModule,
        number: int,
        kind: str,
        text: str,
        descriptions: Mapping[int, str],
        *,
        last: bool,
    ) -> dict[str, Any]:
        prompt: dict[str, Any] = {"prompt_type": kind, "prompt_text": text}
        if kind == "validation":
            needs = "what a complete answer has, and how to ask for it; now any words are complete"
            self._add_todo(module, number, kind, needs)
            item = {"name": "an answer", "ask": ASK_AGAIN, "rule": {"min_words": 1}}
            prompt["conditions"] = {"items": [item]}
        elif kind == "followup":
            dotted_name = text.strip().endswith("?") and not text.strip().lower().startswith("you are")
            prompt["response_text"] = text if dotted_name else TELL_MORE
            if not dotted_name:
                self._add_todo(module, number, kind, "the follow-up question as NOVA asks it without a model")
        elif kind != "classifier":
            prompt["response_text"] = THANK_YOU
            self._add_todo(
                module, number, kind, "what NOVA says without a model; a plain thank-you is used now"
            )
            self._add_examples(module, number, prompt, descriptions, last=last)
        return prompt

    def _add_examples(
        self,
        module: WeekModule,
        number: int,
        prompt: dict[str, Any],
        descriptions: Mapping[int, str],
        *,
        last: bool,
    ) -> None:
        match = re.fullmatch(r"scenario_(\d+)_respond", prompt["prompt_type"])
        described = descriptions.get(int(match[1])) if match else None
        if described is not None:
            prompt["examples"] = [described]
        elif match and not last:
            prompt["examples"] = [NO_EXAMPLE.format(match[1])]
        if match and not last:
            instead = (
                "the classifier's description is used as an example" if described else "it is never reached"
            )
            needs = f"conditions or example answers; {instead}"
            self._add_todo(module, number, prompt["prompt_type"], needs)

    def _add_todo(self, module: WeekModule, question: int | None, prompt: str | None, needs: str) -> None:
        self._draft.todos.append(Todo(module.number, question, prompt, needs))


def scenario_descriptions(classifier: str) -> dict[int, str]:
    """Scenario descriptions in a classifier: `SCENARIO_1: names an idea.` gives {1: "names an idea"}."""
    found = ((int(number), text.strip(" .\n")) for number, text in _SCENARIO_TEXT.findall(classifier))
    return {number: text[:_LONGEST_EXAMPLE] for number, text in found if text and "{" not in text}


def _last_scenario(prompts: Mapping[str, str]) -> str | None:
    numbers = [int(match[1]) for kind in prompts if (match := re.fullmatch(r"scenario_(\d+)_respond", kind))]
    return f"scenario_{max(numbers)}_respond" if numbers else None


def _normalize_answer_placeholders(text: str) -> str:
    """Rewrite `{answer to Question 3}` in the spelling that CogniFlow resolves."""
    return _ANSWER.sub(lambda match: f"{{Answer to question {int(match[1])}}}", text)


def _with_blocks(text: str, blocks: Mapping[str, str], depth: int = 5) -> str:
    """Insert the text of named blocks, up to `depth` levels, so that cycles end."""
    for _ in range(depth):
        named = [name for name in _NAMED.findall(text) if name in blocks]
        if not named or len(text) + sum(len(blocks[name]) for name in named) > _LONGEST_BLOCK:
            break
        text = _NAMED.sub(lambda match: blocks.get(match[1], match[0]), text)
    return text
