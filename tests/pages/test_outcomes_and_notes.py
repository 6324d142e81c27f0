"""A coach reads what is needed to reach somebody; a practice reads how it went, and none of what the coach keeps."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from access.parties import everything_of
from every_type import place, with_words, words
from ketenzorg.coordination.hearing.telling import brought, told
from ketenzorg.store.outbox import Event
from referrals import a_referral
from services import REGION, Referral, Service
from spec.talking import call

from .browsers import Browser
from .test_practice import with_cookie

COACHES, PRACTICE = (REGION.of_client(client).id for client in ("welzijn-demo", "his-demo"))
ON_THE_PAGE_OF_A_COACH = {("Patient", "name"), ("Patient", "telecom")}
PATCH = {"Content-Type": "application/json-patch+json"}
NUMBER, OUTCOME, TALK = (
    "EIGEN-2026/17",
    "Er is een plek bij de koffieochtend.",
    "Zij vertelde over haar dochter.",
)


async def heard(service: Service, who: UUID, task: str) -> str:
    """All that a party which asked for whole resources is told of a Task, version by version."""
    world, texts = service.app.litestar.state.world, []
    id_ = UUID(task.partition("/")[2])
    versions = (await service.rows(f"select version from ketenzorg.resource where id = '{id_}'"))[0][
        "version"
    ]
    for version in range(1, versions + 1):
        event = Event(
            id=uuid4(), number=version, type="Task", resource=id_, version=version, created=datetime.now(UTC),
            attempts=0, tried_since=None, readable=True,
        )  # fmt: skip
        body = (await told(event, "full-resource", brought(event, uuid4(), who, world), world)).body
        assert body == (await call(service, who, "GET", f"/fhir/{task}/_history/{version}")).content
        texts.append((body or b"").decode())
    return "".join(texts)


async def logged(service: Service, who: UUID) -> str:
    """The event log as far as row level security lets a party read it."""
    async with service.app.litestar.state.database.as_callers([who]) as connection:
        rows = await connection.exec_driver_sql("select event, body::text from event order by seq")
        return str(rows.all())


async def worked_on(service: Service, browser: Callable[[], Browser]) -> tuple[Referral, dict[str, str]]:
    """A referral full of words that a coach takes up, answers and ends; what the pages showed on the way."""
    referral = await service.refer(a_referral("1", with_words))
    own = referral["Task"].partition("/")[2]
    noor, marieke = await browser().sign_in("Noor Bolt"), with_cookie(service, browser(), "huisarts")
    seen: dict[str, str] = {"coach": "", "practice": ""}
    await noor.open(f"/werk/{own}")
    await noor.press("Bewaar", dossiernummer=NUMBER)
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(referral["Task"], event)
    await service.happens(referral["Task"], "terugkoppelen", terugkoppeling=OUTCOME)
    note = [{"op": "add", "path": "/note", "value": [{"text": TALK}]}]
    refused = await service.coach.patch(f"/fhir/{referral['Task']}", json=note, headers=PATCH)
    assert refused.status_code == 422
    for path in ("/werk", "/werk?lijst=open", f"/werk/{own}", f"/werk/{own}/brief"):
        seen["coach"] += (await noor.open(path)).response.text
    for path in ("/praktijk", "/praktijk?lijst=loopt", f"/praktijk/{own}"):
        seen["practice"] += (await marieke.open(path)).response.text
    return referral, seen


async def test_a_practice_reads_the_outcome_and_none_of_what_the_coach_keeps(
    service: Service, browser: Callable[[], Browser]
) -> None:
    referral, seen = await worked_on(service, browser)
    task = referral["Task"]
    read = await everything_of(service, PRACTICE, referral) + await heard(service, PRACTICE, task)
    log = await logged(service, PRACTICE)

    for told_to_the_practice in (seen["practice"], read):
        assert OUTCOME in told_to_the_practice
    kept = (NUMBER, TALK, "Noor", "noor")
    for text in (seen["practice"], read, log):
        assert [word for word in kept if word in text] == []
    assert OUTCOME not in log  # ids and codes only
    assert NUMBER in seen["coach"]
    assert "terugkoppelen" in log


async def test_a_coach_reads_nothing_on_a_page_in_a_notification_or_in_the_log_that_its_role_does_not(
    service: Service, browser: Callable[[], Browser]
) -> None:
    referral, seen = await worked_on(service, browser)
    api = await everything_of(service, COACHES, referral)
    by_api = {each for each in words() if place(*each) in api}

    on_pages = {each for each in words() if place(*each) in seen["coach"]}
    in_messages = await heard(service, COACHES, referral["Task"])
    assert ON_THE_PAGE_OF_A_COACH <= on_pages <= by_api
    assert {each for each in words() if place(*each) in in_messages} == {("Task", "input")}
    log = await logged(service, COACHES)
    for text in (seen["coach"], in_messages, log, api):
        assert "999990019" not in text
        assert "1948" not in text
    assert "woorden van" not in log
