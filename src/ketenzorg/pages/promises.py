"""What we promise to who connects a system: one page, of which each sentence has a test of its name.

The sentences are data (promises.toml); the numbers in them come from where the program itself has them.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from litestar import get

from ketenzorg.pages.guide_sheets import guide_page
from ketenzorg.pages.render import Page
from ketenzorg.pages.site import Http

_FILE = Path(__file__).resolve().parent / "promises.toml"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a status means here, what a sender then does, and whether it sends the same again."""

    status: int
    name: str
    means: str
    then: str
    again: str

    @property
    def id(self) -> str:
        return f"status-{self.status}"


class Sentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One promise; the test of this name proves it."""

    id: str
    text: str


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Promises about one thing."""

    title: str
    sentence: tuple[Sentence, ...]

    @property
    def id(self) -> str:
        return re.sub(r"[^a-z]+", "-", self.title.lower())


class Promises(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    title: str
    lead: str
    answer: tuple[Answer, ...]
    part: tuple[Part, ...]

    def ids(self) -> Iterator[str]:
        """Of everything that must be proven."""
        yield from (each.id for each in self.answer)
        yield from (each.id for part in self.part for each in part.sentence)


def load_promises(numbers: Mapping[str, str]) -> Promises:
    """With the numbers filled in. Raises KeyError for one that is not there."""
    written = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    for part in written["part"]:
        for sentence in part["sentence"]:
            sentence["text"] = sentence["text"].format_map(numbers)
    return msgspec.convert(written, Promises)


@get("/guide/promises")
async def show_promises(request: Http) -> Page:
    """Readable for everybody: nothing in it is of a person."""
    promises = request.app.state.promises
    return guide_page(request, "promises.html", promises=promises)
