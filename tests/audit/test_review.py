"""S20: logs that nobody looks at were a reason to forbid a regional record: here a week is reviewed by stated rules."""

import asyncio
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from ketenzorg.access.audit_review import Did, notable
from ketenzorg.cli import audit_log
from ketenzorg.errors import Invalid
from ketenzorg.pathway.calendar import AMSTERDAM
from services import SECRET, Service

HOUSE, OTHER = UUID(int=1), UUID(int=2)
QUIET = Did(HOUSE, "a", 10, 6, 0, 0, 0, 0)


def did(who: str, **numbers: int) -> Did:
    return Did(**{**{name: getattr(QUIET, name) for name in Did.__struct_fields__}, "who": who, **numbers})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ({"patients": 61}, "zag 61 patiënten"),
        ({"emergencies": 1}, "noodprocedure 1 keer"),
        ({"outside": 5}, "buiten 7 tot 19 uur"),
        ({"after_end": 1}, "nadat het eigen deel was geëindigd"),
        ({"refused": 10}, "niet mocht"),
    ],
)
def test_what_stands_out_is_named_with_its_reason(numbers: dict[str, int], why: str) -> None:
    house = [did("b"), did("c"), did("d", **numbers)]
    assert [(each.did.who, why in each.why) for each in notable(house)] == [("d", True)]


def test_who_works_much_in_a_small_house_or_like_all_others_does_not_stand_out() -> None:
    busy = [did("b", patients=90), did("c", patients=80), did("d", patients=100)]
    alone = [Did(OTHER, "e", 500, 400, 0, 0, 0, 0)]
    assert notable([*busy, *alone, did("f", outside=4, refused=9)]) == []


async def test_s20_a_week_is_read_from_the_log_without_a_name_and_that_is_on_record(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    referral = await service.refer()
    for _ in range(10):
        await service.hospital.get(f"/fhir/{referral['Patient']}")
    (tmp_path / "secret.key").write_bytes(SECRET)
    environ = {
        "KETENZORG_DATABASE_URL": service.database.app_url,
        "KETENZORG_SECRET_FILE": str(tmp_path / "secret.key"),
    }
    [row] = await service.rows("select max(at) as at from ketenzorg.audit")
    week = f"{row['at'].astimezone(AMSTERDAM):%G-W%V}"
    await asyncio.to_thread(audit_log.review, environ, week, embedded=False)
    said = capsys.readouterr().out
    assert "ziekenhuis-demo vroeg 10 keer iets wat er niet was of niet mocht." in said
    assert "Veldkamp" not in said
    [line] = await service.rows("select client, what from ketenzorg.audit order by at desc limit 1")
    assert (line["client"], line["what"].startswith("AuditEvent?date=ge")) == ("ketenzorg audit", True)
    with pytest.raises(Invalid):
        audit_log.review(environ, "vorige week", embedded=False)


def test_a_week_begins_on_monday_in_amsterdam() -> None:
    assert audit_log.monday_of("2026-W10") == datetime(2026, 3, 2, tzinfo=AMSTERDAM)
