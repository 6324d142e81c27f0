"""What is counted of requests and of what waits, and that nobody can put words of his own into it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from prometheus_client import REGISTRY

from audits import chained
from ketenzorg.app import real_time
from ketenzorg.delivery.measuring import measure
from ketenzorg.store.database import Database
from ketenzorg.store.lags import Lags
from referrals import a_referral
from services import REGION, Service

READ = "/fhir/{kind}/{id_}"
WORDS = "jansen-900070017"


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def requests() -> list[Any]:
    return [
        sample
        for metric in REGISTRY.collect()
        if metric.name == "ketenzorg_request_seconds"
        for sample in metric.samples
    ]


async def test_a_request_is_counted_by_its_template(service: Service) -> None:
    task = (await service.refer())["Task"]
    labels = {"method": "GET", "route": READ, "status": "2xx"}
    before = counted("ketenzorg_request_seconds_count", **labels)
    assert (await service.his.get(f"/fhir/{task}")).status_code == 200
    assert counted("ketenzorg_request_seconds_count", **labels) == before + 1
    assert counted("ketenzorg_requests_under_way") == 0
    assert counted("ketenzorg_database_connections_used") == 0


async def test_what_an_outsider_writes_is_no_label(service: Service) -> None:
    known = {sample.labels["route"] for sample in requests()}
    for path in (f"/{WORDS}", f"/fhir/{WORDS}/{uuid4()}", f"/fhir/Task/{WORDS}?x={WORDS}", f"/{WORDS}" * 50):
        await service.his.get(path)
        await service.stranger.get(path)
    await service.his.request(WORDS.upper(), "/fhir/metadata")
    assert {sample.labels["route"] for sample in requests()} - known <= {"none", READ}
    assert WORDS not in "".join(str(sample.labels) for sample in requests()).lower()


async def test_the_worker_tells_what_waits(service: Service) -> None:
    database = Database(service.database.app_url)
    lags = Lags(database, REGION.code)
    later = real_time() + timedelta(hours=1)
    try:
        await measure(lags, later)
        assert counted("ketenzorg_messages", state="waiting") == 0
        assert counted("ketenzorg_behind_seconds", what="messages") == 0

        await service.listens(REGION.of_client("welzijn-demo").id, "http://127.0.0.1:1/")
        await service.refer()
        await service.refer(a_referral("2026-000124"))
        await service.rows(
            "update ketenzorg.outbox set state = 'parked', number = 1"
            " where id = (select id from ketenzorg.outbox limit 1)"
        )
        await service.rows("update ketenzorg.due set look = now() - interval '1 day'")
        await measure(lags, later)
        assert counted("ketenzorg_messages", state="waiting") == 1
        assert counted("ketenzorg_messages", state="parked") == 1
        for what in ("messages", "clock", "audit chain"):
            assert counted("ketenzorg_behind_seconds", what=what) > 3000, what

        await chained(service)
        await measure(lags, later)
        assert counted("ketenzorg_behind_seconds", what="audit chain") == 0
    finally:
        await database.close()
