"""Requests that go wrong, as data (fhir_profiles/mistakes): the guide shows each with its answer, a test sends it."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import jsonpatch
import msgspec

FOLDER = "mistakes"
PLACE = re.compile(r"\{([A-Za-z.]+)\}")


class Said(msgspec.Struct, frozen=True):
    """One issue of an answer, without its system."""

    severity: str
    code: str
    kind: str
    text: str
    diagnostics: str
    expression: tuple[str, ...]


class Answered(msgspec.Struct, frozen=True):
    """What the server said; ids and moments masked."""

    status: int
    issues: tuple[Said, ...]


class Mistake(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request, as the file has it."""

    title: str
    who: Literal["practice", "coach", "hospital", "nobody"] = msgspec.field(default="practice", name="as")
    method: str = "POST"
    path: str = "/fhir"
    headers: dict[str, str] = {}
    example: str = "welzijn-op-recept"
    set: dict[str, Any] = {}
    remove: tuple[str, ...] = ()
    text: str | None = None
    body: Any = None

    @property
    def sends_example(self) -> bool:
        """Whether it is an example referral, changed."""
        return self.method == "POST" and self.path == "/fhir" and self.text is None

    def content(self, examples: Path) -> str:
        """What is sent; '' of who only asks."""
        if self.text is not None:
            return self.text
        if self.body is not None:
            return json.dumps(self.body, ensure_ascii=False)
        return json.dumps(self._changed(examples), ensure_ascii=False) if self.sends_example else ""

    def _changed(self, examples: Path) -> Any:
        bundle = json.loads((examples / f"referral-{self.example}.json").read_text("utf-8"))
        operations = [{"op": "add", "path": path, "value": value} for path, value in self.set.items()]
        operations += [{"op": "remove", "path": path} for path in self.remove]
        return jsonpatch.apply_patch(bundle, operations)


def filled(text: str, ids: Mapping[str, str]) -> str:
    """With the ids of a referral in the place of {Task} and {Task.id}."""
    return PLACE.sub(lambda found: ids.get(found[1], found[0]), text)


def load_mistakes(profiles: Path) -> tuple[Mistake, ...]:
    """Every request, in the order of the file."""
    written = tomllib.loads((profiles / FOLDER / "requests.toml").read_text("utf-8"))
    return msgspec.convert(written["mistake"], tuple[Mistake, ...])


def load_broken(profiles: Path) -> dict[str, Answered]:
    """What `$validate` says to each broken example of a profile, by its name."""
    return msgspec.json.decode((profiles / FOLDER / "broken.json").read_bytes(), type=dict[str, Answered])


def load_answers(profiles: Path) -> dict[str, Answered]:
    """What was answered to each, by its title."""
    return msgspec.json.decode((profiles / FOLDER / "answers.json").read_bytes(), type=dict[str, Answered])
