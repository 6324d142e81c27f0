"""`ketenzorg audit verify`, `head` and `purge`, as the keeper of the log uses them."""

import asyncio
import json
from datetime import datetime
from pathlib import Path

import pytest

from audits import chained, tamper
from ketenzorg.access.audit_seal import is_signed
from ketenzorg.cli import audit_log
from ketenzorg.errors import Invalid, NotFound
from referrals import a_referral
from services import SECRET, Service


@pytest.fixture
def environ(service: Service, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "secret.key").write_bytes(SECRET)
    return {
        "KETENZORG_DATABASE_URL": service.database.app_url,
        "KETENZORG_SECRET_FILE": str(tmp_path / "secret.key"),
    }


async def verify(environ: dict[str, str], head: Path | None = None) -> int:
    return await asyncio.to_thread(audit_log.verify, environ, head, embedded=False)


async def test_verify_says_in_order_or_names_the_line(
    service: Service, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        await service.refer(a_referral(f"v-{number}"))
    await chained(service)
    await service.refer(a_referral("v-3"))
    assert await verify(environ) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("in orde: 3 regels, tot ")
    assert said[1] == "1 regels staan nog niet in de keten; dat doet ketenzorg worker."

    [row] = await service.rows("select id, request from ketenzorg.audit_chain where n = 2")
    await tamper(service, f"update ketenzorg.audit set address = 'x' where id = '{row['id']}'")
    assert await verify(environ) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"regel {row['id']} (verzoek {row['request']}, ")
    assert said[0].endswith(" UTC) is veranderd")
    assert said[1].startswith("NIET in orde: 1 bevindingen in 3 regels")


async def test_a_head_that_was_handed_out_shows_a_log_that_became_shorter(
    service: Service, environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotFound, match="Nothing was chained yet"):
        await asyncio.to_thread(audit_log.head, environ, embedded=False)
    await service.refer(a_referral("h-0"))
    await chained(service)
    await service.refer(a_referral("h-1"))
    await chained(service)
    await asyncio.to_thread(audit_log.head, environ, embedded=False)
    file = tmp_path / "head.json"
    file.write_text(capsys.readouterr().out)
    handed = json.loads(file.read_text())
    # Whoever keeps it needs nothing of ours to see that it was signed.
    signature, key = (bytes.fromhex(handed[name]) for name in ("signature", "public_key"))
    assert is_signed(handed["statement"].encode(), signature, key)
    assert f" 2 {handed['hash']} " in handed["statement"]
    assert await verify(environ, file) == 0

    await tamper(
        service,
        "delete from ketenzorg.audit where id = (select id from ketenzorg.audit_chain where n = 2)",
        "delete from ketenzorg.audit_chain where n = 2",
        "delete from ketenzorg.audit_head where n = 2",
    )
    assert await verify(environ) == 0
    capsys.readouterr()
    assert await verify(environ, file) == 1
    assert "het einde ontbreekt: de regels 2 tot en met 2" in capsys.readouterr().out

    file.write_text(json.dumps(handed | {"lines": 1}))
    with pytest.raises(Invalid, match="no head that we signed"):
        await verify(environ, file)


async def test_a_purge_is_on_record_and_takes_nothing_young(
    service: Service, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    await service.refer()
    await chained(service)
    today = datetime.now()
    with pytest.raises(Invalid, match="stays 5 years"):
        await asyncio.to_thread(audit_log.purge, environ, today, embedded=False)
    await asyncio.to_thread(audit_log.purge, environ, today.replace(year=today.year - 6), embedded=False)
    assert capsys.readouterr().out.startswith("0 regels verwijderd.")
    [line] = await service.rows(
        "select client, user_id, action, what, rule from ketenzorg.audit where interaction = 'purge'"
    )
    assert (line["client"], line["action"], line["rule"]) == ("ketenzorg audit", "D", "keeps-the-log")
    assert line["user_id"]
    assert line["what"].startswith("AuditEvent?date=lt")
