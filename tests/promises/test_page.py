"""The page of what we promise: each sentence has a test of its name, and its numbers are those of the program."""

import re
from collections.abc import Callable
from pathlib import Path

from ketenzorg.pages.promises import load_promises
from ketenzorg.promised import promised_numbers
from pages.browsers import Browser
from services import REGION, SETTINGS

HERE = Path(__file__).parent
NUMBERS = promised_numbers(SETTINGS, REGION)
PROMISES = load_promises(NUMBERS)


def test_each_sentence_has_a_test_of_its_name_and_none_is_there_twice() -> None:
    ids = list(PROMISES.ids())
    assert len(set(ids)) == len(ids)
    proven = re.findall(r"^(?:async )?def test_(\w+)\(", "".join(_sources()), re.MULTILINE)
    assert [id_ for id_ in ids if proven.count(id_.replace("-", "_")) != 1] == []
    assert not re.search(r"mark\.(skip|xfail)|pytest\.(skip|xfail)", "".join(_sources()))


def test_no_number_is_typed_in_a_sentence() -> None:
    """But for 1, and what names a thing: a status, a hash, an example of digits."""
    written = (HERE.parents[1] / "src/ketenzorg/pages/promises.toml").read_text("utf-8")
    texts = [line for line in written.splitlines() if line.startswith("text")]
    found = [
        re.findall(r"(?<![\w.{-])\d[\d.]*(?![\w}])", re.sub(r"`[^`]*`|NEN 7513|\(\dxx\)", "", line))
        for line in texts
    ]
    assert [(line, each) for line, each in zip(texts, found, strict=True) if set(each) - {"1", "2"}] == []
    assert [name for name in NUMBERS if f"{{{name}}}" not in written] == []


async def test_everybody_reads_it_whole_without_signing_in(browser: Callable[[], Browser]) -> None:
    reader = await browser().open("/guide")
    await reader.follow("What you can rely on")
    assert reader.path == "/guide/promises"
    text = _bare(reader.page.one("main").text)
    for part in PROMISES.part:
        for sentence in part.sentence:
            assert _bare(sentence.text) in text, sentence.id
    for answer in PROMISES.answer:
        assert _bare(answer.means) in text, answer.status
    anchors = {each.attrs["id"] for each in reader.page.all("li", "tr", "h2") if "id" in each.attrs}
    links = {
        each.attrs["href"].removeprefix("#") for each in reader.page.all("a") if "#" in each.attrs["href"][:1]
    }
    assert links - {"inhoud"} <= anchors
    assert set(PROMISES.ids()) <= anchors


def _bare(text: str) -> str:
    return re.sub(r"[`\s]", "", text)


def _sources() -> list[str]:
    return [path.read_text("utf-8") for path in sorted(HERE.glob("test_*.py")) if path.name != "test_page.py"]
