"""Two personal numbers go through everything; then all that was written or answered anywhere is searched for them."""

from pathlib import Path

import pytest

from canary.failing import goes_wrong, writes_it_in_a_task
from canary.hunting import forms_of, hunt
from canary.installation import installation
from canary.talking import CANARY, COACH, NAME, NUMBERS, PRACTICE, region
from canary.working import crashes, ends, refers_and_works, says_all_its_verbs, searches, sits_at_the_pages
from receivers import answer, receiver


async def test_a_personal_number_is_found_nowhere(tmp_path: Path) -> None:
    async with installation(tmp_path) as it, region(it) as all_:
        async with receiver() as good, receiver(*[answer(500)] * 2, answer(410)) as failing:
            for ura, one in ((PRACTICE, good), (COACH, failing)):
                assert "geheim" in await it.run("endpoint", "set", ura, one.url, "--embedded")
            places = await refers_and_works(all_)
            await searches(all_)
            await goes_wrong(all_, places)
            await writes_it_in_a_task(all_, places["Task"])
            await sits_at_the_pages(all_)
            await ends(all_, places)
            await says_all_its_verbs(all_)
            await crashes(all_, places)
            await it.scrape()
            heard = [repr((got.headers, got.body)) for each in (good, failing) for got in each.got]
        tables = await it.sql(
            "select relname from pg_class where relnamespace = 'ketenzorg'::regnamespace and relkind = 'r'"
        )
        dump = tmp_path / "dump"
        dump.mkdir()
        for table in tables:
            rows = await it.sql(f"select t::text as row from ketenzorg.{table['relname']} t")
            (dump / table["relname"]).write_text("\n".join(row["row"] for row in rows))
        looks = await it.sql("select request from ketenzorg.audit where outcome = '0'")
        await it.sql("checkpoint")

    tattled = all_.tattled()
    assert not tattled, "\n".join(tattled)
    assert not [each for each in heard for number in NUMBERS if number in each]
    assert hunt(tmp_path, NUMBERS) == []
    assert all(
        "ketenzorg_" in path.read_text() for path in tmp_path.glob("metrics.*")
    )  # hunted through as well
    assert all_.unseen({look["request"] for look in looks}) == []
    assert all_.unseen([])  # it would have found them
    # The hunt would have found them: it does find a name that rests in clear, in tables and in the write-ahead log.
    found = " ".join(hunt(tmp_path, [NAME]))
    assert "data/" in found
    assert "pg_wal" in found


@pytest.mark.parametrize("form", forms_of(CANARY))
def test_the_hunt_finds_every_form(tmp_path: Path, form: str) -> None:
    (tmp_path / "file").write_bytes(b"x" * 99 + forms_of(CANARY)[form] + b"x" * 99)
    assert [each for each in hunt(tmp_path, [CANARY]) if each.endswith(form)]
    (tmp_path / "file").write_bytes(b"nothing here")
    assert hunt(tmp_path, [CANARY]) == []
