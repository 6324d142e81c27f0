"""What goes on record, and what does not."""

from uuid import uuid4

import asyncpg
import pytest

from api.test_asides import question
from ketenzorg.environment import audit_years
from ketenzorg.settings import for_asyncpg
from promises.talking import accepting
from referrals import a_referral
from services import REGION, Service

PERSONAL = ("Veldkamp", "999990019", "5550100", "Singel")


async def lines(service: Service, request: str) -> list[tuple[str, str, str]]:
    found = await service.rows(
        f"select interaction, action, outcome from ketenzorg.audit where request = '{request}' order by id"
    )
    return [tuple(row) for row in found]


async def test_on_record(service: Service) -> None:
    referral = await service.refer()
    task = referral["Task"]
    for request, response in {
        "reads": await service.coach.get(f"/fhir/{task}", headers={"X-Request-Id": "reads"}),
        "searches": await service.coach.get(
            "/fhir/Task?status=requested", headers={"X-Request-Id": "searches"}
        ),
        "writes": await accepting(service, task, {"X-Request-Id": "writes"}),
        "asks": await service.coach.post("/fhir/Task", json=question(task), headers={"X-Request-Id": "asks"}),
    }.items():
        assert response.status_code in (200, 201)
        assert [line[2] for line in await lines(service, request)][:1] == ["0"], request
    [line] = await service.rows("select * from ketenzorg.audit where request = 'writes'")
    assert (line["client"], line["organisation"]) == ("welzijn-demo", REGION.of_client("welzijn-demo").id)
    assert (line["what"], line["version"], len(line["patients"])) == (task, 2, 1)
    assert line["rule"]
    written = await service.rows("select xmin::text as x from ketenzorg.event order by seq desc limit 2")
    by = await service.rows(
        "select xmin::text as x from ketenzorg.audit where request in ('writes', 'asks') order by id desc"
    )
    assert {row["x"] for row in written} <= {row["x"] for row in by}


async def test_attempts_on_record(service: Service) -> None:
    task = (await service.refer())["Task"]
    for request, address in (("not-yours", task), ("not-there", f"Task/{uuid4()}")):
        answer = await service.hospital.get(f"/fhir/{address}", headers={"X-Request-Id": request})
        assert answer.status_code == 404
        assert [line[2] for line in await lines(service, request)] == ["4"]


async def test_your_request_id(service: Service) -> None:
    task = (await service.refer())["Task"]
    sent = {"X-Request-Id": "mine.1", "X-Correlation-Id": "session.1"}
    answer = await service.coach.get(f"/fhir/{task}", headers=sent)
    assert {name: answer.headers[name] for name in sent} == sent
    [line] = await service.rows("select correlation from ketenzorg.audit where request = 'mine.1'")
    assert line["correlation"] == "session.1"
    made = (await service.coach.get(f"/fhir/{task}")).headers["X-Request-Id"]
    assert len(await lines(service, made)) == 1


async def test_log_is_kept(service: Service) -> None:
    await service.refer()
    connection = await asyncpg.connect(for_asyncpg(service.database.admin_url))
    try:
        for change in (
            "update ketenzorg.audit set user_id = 'x'",
            "delete from ketenzorg.audit",
            "truncate ketenzorg.audit",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await connection.execute(change)
    finally:
        await connection.close()
    with pytest.raises(ValueError, match="5"):
        audit_years("4")


async def test_not_on_record(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    key = "Veldkamp-999990019"
    bundle = a_referral()
    first = await service.his.post("/fhir", json=bundle, headers={"Idempotency-Key": key})
    assert first.status_code == 200
    wrong = await service.his.post("/fhir", json=a_referral("2"), headers={"Idempotency-Key": key})
    in_address = await service.his.get(
        "/fhir/Patient?identifier=http://fhir.nl/fhir/NamingSystem/bsn|999990019"
    )
    assert (wrong.status_code, in_address.status_code) == (422, 400)
    kept = [str(dict(row)) for row in await service.rows("select * from ketenzorg.audit")]
    kept += [
        str(dict(row))
        for row in await service.rows(
            "select key, body, about, convert_from(answer, 'utf8') as a from ketenzorg.idempotency_key"
        )
    ]
    told = capsys.readouterr()
    for text in (*kept, wrong.text, in_address.text, first.text, told.out, told.err):
        assert not any(word in text for word in PERSONAL)
