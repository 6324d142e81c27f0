"""What is younger than five years stays, whoever asks; what goes leaves a chain that can still be checked."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from audits import SEAL, chain_of, chained, tamper, walked
from ketenzorg.access import audit_chaining
from ketenzorg.access.audit_purge import purge
from ketenzorg.access.audit_seal import statement
from ketenzorg.errors import Invalid
from ketenzorg.settings import AUDIT_YEARS, Settings, WrongSetting
from referrals import a_referral
from services import Service

NOW = datetime.now(UTC)


def years_ago(years: int, **more: float) -> datetime:
    return NOW.replace(year=NOW.year - years) - timedelta(**more)


async def aged(service: Service, *moments: datetime) -> None:
    """A referral at each of these moments, chained and signed for at that moment too."""
    newest = "id = (select max(id::text)::uuid from ketenzorg.audit)"
    for number, moment in enumerate(moments):
        await service.refer(a_referral(f"p-{number}"))
        await tamper(service, f"update ketenzorg.audit set at = '{moment}' where {newest}")
        await chained(service, moment)


async def requests(service: Service) -> int:
    return len(await service.rows("select 1 from ketenzorg.audit"))


async def test_a_day_short_of_five_years_is_refused_and_nothing_goes(service: Service) -> None:
    await aged(service, years_ago(5, days=-1))
    async with chain_of(service) as chain:
        with pytest.raises(Invalid, match="stays 5 years"):
            await purge(chain, SEAL, years_ago(5, days=-1, seconds=-1), years=5, now=NOW)
        assert await purge(chain, SEAL, years_ago(5, hours=1), years=5, now=NOW) == 0
        # Somebody who says that it is later than it is meets the clock of the database.
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await purge(chain, SEAL, NOW, years=5, now=NOW.replace(year=NOW.year + 5))
    assert await requests(service) == 1
    assert await walked(service) == ([], 1)


async def test_what_an_interrupted_purge_left_goes_with_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chaining, "LINES", 1)
    await aged(service, *(years_ago(5, days=days) for days in (9, 8, 7)), years_ago(1))
    async with chain_of(service) as chain:
        head = await chain.may_go(years_ago(5, days=6))
        assert head is not None
        signed = SEAL.sign(statement("purge", chain.region, head.n, head.hash, NOW))
        await chain.sign_purge(head.n, NOW, SEAL.key, signed)
        assert await chain.sweep(2) == 2  # and then the machine stops
        assert await walked(service) == ([], 2)
        assert await purge(chain, SEAL, years_ago(6), years=5, now=NOW) == 1
    assert await walked(service) == ([], 1)


async def test_what_is_older_goes_and_the_rest_is_still_held_together(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chaining, "LINES", 1)
    await aged(service, *(years_ago(5, days=days) for days in (9, 8, 7)), years_ago(4), years_ago(1))
    kept = years_ago(5, days=7, hours=1)
    async with chain_of(service) as chain:
        assert await purge(chain, SEAL, kept, years=5, now=NOW) == 2
        assert await purge(chain, SEAL, kept, years=5, now=NOW) == 0
        assert await requests(service) == 3
    assert await walked(service) == ([], 3)
    await tamper(service, "update ketenzorg.audit_head set hash = '' where kind = 'purge'")
    assert [each.what for each in (await walked(service))[0]] == ["changed", "forged"]


@pytest.mark.parametrize(("text", "years"), [("", 5), ("5", 5), ("15", 15)])
def test_five_years_or_more_is_a_setting(text: str, years: int) -> None:
    assert Settings.from_environ({AUDIT_YEARS.name: text}).audit_years == years


@pytest.mark.parametrize("text", ["4", "0", "21", "-6", "5.5", "vijf"])
def test_less_than_five_years_is_none(text: str) -> None:
    with pytest.raises(WrongSetting, match=f"{AUDIT_YEARS.name}: a number from 5 to 20"):
        Settings.from_environ({AUDIT_YEARS.name: text})
