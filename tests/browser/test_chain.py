"""The chain team's page in a real browser: it opens, it filters, its tables come down as files."""

import csv
from pathlib import Path

from playwright.async_api import expect

from services import Service

from .conftest import Opens
from .counted import counted
from .test_coach import BOTH


@BOTH
async def test_figures_filters_and_files(service: Service, somebody: Opens, scripts: bool) -> None:
    await counted(service, 120)
    wout = await somebody("Wout Hazenberg", java_script_enabled=scripts)
    assert wout.path == "/keten/welzijn-op-recept"
    await expect(wout.main.get_by_role("img", name="Het zorgpad")).to_be_visible()
    meaning = wout.main.get_by_text("Verwijzingen die binnenkwamen").first
    await expect(meaning).to_be_hidden()
    await wout.main.get_by_text("Uitleg").first.click()
    await expect(meaning).to_be_visible()
    await wout.main.get_by_text("Kies een andere periode").click()
    await wout.main.get_by_role("combobox", name="Gemeente").select_option("Groningen")
    await wout.press("Toon")
    assert "municipality=GM0014" in wout.path
    await expect(wout.main.get_by_role("combobox", name="Gemeente")).to_have_value("GM0014")
    await wout.main.get_by_text("Tabel: wachttijd per norm").click()
    async with wout.page.expect_download() as coming:
        await wout.follow("Download wachttijd per norm")
    rows = read(await (await coming.value).path())
    assert "municipality=GM0014" in (await coming.value).url
    shown = wout.main.get_by_role("table", name="Wachttijd per norm")
    assert await shown.get_by_role("rowheader").all_inner_texts() == [row[0] for row in rows[1:]]


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text("utf-8-sig").splitlines(), delimiter=";"))


async def test_what_is_wrong_in_the_address_is_named(somebody: Opens) -> None:
    wout = await somebody("Wout Hazenberg")
    await wout.open(f"{wout.path}?from=morgen&municipality=%3Cscript%3E")
    await wout.sees("Dit is geen week", "Deze gemeente is niet in deze regio")
