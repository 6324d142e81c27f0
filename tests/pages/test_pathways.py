"""What a clinician reads of a pathway: everything that the file says, and that nobody has adopted it."""

from collections.abc import Callable
from html import unescape

from content import CATALOGUE
from ketenzorg.pathway.show import document

from .browsers import Browser


async def test_every_pathway_is_a_page_for_everybody(browser: Callable[[], Browser]) -> None:
    reader = browser()
    await reader.open("/zorgpaden")
    listed = {link.attrs["href"] for link in reader.page.one("main").all("a")}
    for name in CATALOGUE.names:
        pathway = CATALOGUE.current(name)
        assert f"/zorgpaden/{name}" in listed
        await reader.open(f"/zorgpaden/{name}")
        text = unescape(reader.response.text)
        assert "Niet vastgesteld door een zorginhoudelijk eigenaar." in text
        for part in document(pathway):
            assert f">{part.heading}</h2>" in text, part.heading
            said = [*part.items, *(cell for row in part.rows for cell in row)]
            assert [cell for cell in said if cell not in text] == [], part.heading
        drawn = text.partition("<desc")[2].partition("</desc>")[0]
        main = [step for step in pathway.steps.values() if not step.side and not step.ends]
        assert [step.title for step in main if f"{step.title}: " not in drawn] == []


async def test_an_unknown_pathway_is_said_to_be_unknown(browser: Callable[[], Browser]) -> None:
    reader = await browser().open("/zorgpaden/bestaat-niet")
    assert reader.response.status_code == 404
    assert "Deze pagina is er niet" in reader.text
