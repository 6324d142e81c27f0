"""Of each norm that runs out it is told once, with its own moment, to who must hear of it; whoever looks, and when."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from ketenzorg import events
from ketenzorg.access.tokens import Caller
from ketenzorg.api.sandbox import CLOCK_SCOPE
from ketenzorg.app import tokens_of
from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.showing.story import story
from ketenzorg.coordination.steps import watching
from ketenzorg.coordination.steps.undoing import undo
from ketenzorg.coordination.steps.watching import Watcher
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.store.database import Database
from ketenzorg.store.dues import Dues
from log_lines import capture_logs
from referrals import a_referral
from services import REGION, SECRET, SETTINGS, START, Service
from subscribed import listening

COACH, PRACTICE = (caller_for(REGION, name) for name in ("welzijn-demo", "his-demo"))
ATTEMPT, CONTACT, MEETING = "eerste poging", "eerste contact", "kennismaking"
DUE = {  # the last moments after a referral at START: working days, and weeks
    ATTEMPT: datetime(2026, 1, 19, 23, 59, 59, tzinfo=AMSTERDAM),
    CONTACT: datetime(2026, 1, 26, 23, 59, 59, tzinfo=AMSTERDAM),
    MEETING: datetime(2026, 2, 2, 23, 59, 59, tzinfo=AMSTERDAM),
}

REMINDED = datetime(2026, 1, 22, tzinfo=AMSTERDAM)  # of the contact: two working days before
ESCALATED = datetime(2026, 2, 2, 23, 59, 59, tzinfo=AMSTERDAM)  # and five after


def watcher_of(service: Service) -> Watcher:
    found: Watcher = service.app.litestar.state.watcher
    return found


async def look(service: Service, now: datetime) -> None:
    """Round after round, until there is nothing left to tell."""
    while await watcher_of(service).look(now):
        pass


async def told(
    service: Service, kind: type[events.OfNorm] = events.NormExceeded
) -> list[tuple[str, datetime]]:
    """The norms of which somebody was told, each with its moment, in the order of the log."""
    return [(each.norm, each.at) for each in await log_of(service) if isinstance(each, kind)]


async def log_of(service: Service) -> list[events.Event]:
    rows = await service.rows("select body::text from ketenzorg.event order by xid, id")
    return [msgspec.json.decode(row["body"], type=events.Event) for row in rows]


async def test_who_must_act_hears_of_it_once_at_its_own_moment_and_nothing_else_changes(
    service: Service,
) -> None:
    await service.rows(listening([COACH.organisation]))
    referral = await service.refer()
    await look(service, DUE[ATTEMPT])
    assert await told(service) == []  # at its last moment it is still met

    await look(service, DUE[ATTEMPT] + timedelta(hours=8))

    [exceeded] = [each for each in await log_of(service) if isinstance(each, events.NormExceeded)]
    assert (exceeded.norm, exceeded.at, exceeded.due) == (ATTEMPT, DUE[ATTEMPT], DUE[ATTEMPT])
    assert (exceeded.step, exceeded.role, exceeded.within) == ("aangemeld", "welzijnscoach", "5 werkdagen")
    assert exceeded.told == (COACH.organisation,) == (exceeded.organisation,)
    [row] = await service.rows(
        "select happened, recorded from ketenzorg.event where event = 'termijn voorbij'"
    )
    assert (row["happened"], row["recorded"]) == (DUE[ATTEMPT], DUE[ATTEMPT] + timedelta(hours=8))
    news = {row["organisation"]: row["news"] for row in await service.rows("select * from ketenzorg.part")}
    assert news == {COACH.organisation: [2], PRACTICE.organisation: []}
    # The message is about the version that there is.
    messages = await service.rows("select resource, version from ketenzorg.outbox")
    assert [tuple(each) for each in messages] == [(UUID(referral["Task"].partition("/")[2]), 1)] * 2
    assert (await service.coach.get(f"/fhir/{referral['Task']}")).json()["meta"]["versionId"] == "1"

    await look(service, DUE[ATTEMPT] + timedelta(days=3))
    assert await told(service) == [(ATTEMPT, DUE[ATTEMPT])]


async def test_before_its_end_who_must_act_is_reminded_and_later_on_others_hear_it(service: Service) -> None:
    await service.refer()
    await look(service, REMINDED + timedelta(hours=1))
    await look(service, DUE[CONTACT] + timedelta(hours=1))
    assert await told(service, events.NormReminded) == [(CONTACT, REMINDED)]
    assert await told(service, events.NormEscalated) == []

    await look(service, ESCALATED + timedelta(days=30))

    [later] = [each for each in await log_of(service) if isinstance(each, events.NormEscalated)]
    assert (later.norm, later.at, later.after) == (CONTACT, ESCALATED, "5 werkdagen")
    assert later.told == (PRACTICE.organisation,)
    rows = await service.rows("select seq, event, parties from ketenzorg.event where seq > 1 order by seq")
    who = {row["event"]: set(row["parties"]) for row in rows}
    assert who["herinnering"] == {COACH.organisation}  # nobody else's business
    assert who["termijn al langer voorbij"] == {COACH.organisation, PRACTICE.organisation}
    news = {row["organisation"]: row["news"] for row in await service.rows("select * from ketenzorg.part")}
    escalated = next(row["seq"] for row in rows if row["event"] == "termijn al langer voorbij")
    assert news[PRACTICE.organisation] == [escalated]
    assert escalated not in news[COACH.organisation]


async def test_a_reminder_of_what_is_past_and_an_escalation_of_what_was_met_are_left_out(
    service: Service,
) -> None:
    clock = service.app.litestar.state.clock
    referral = await service.refer()
    await service.happens(referral["Task"], "aannemen")
    clock.set(DUE[CONTACT] + timedelta(days=1))
    await look(service, clock.now())
    await service.happens(referral["Task"], "eerste contact")

    await look(service, ESCALATED + timedelta(days=30))

    assert (CONTACT, DUE[CONTACT]) in await told(service)
    assert await told(service, events.NormReminded) == []
    assert await told(service, events.NormEscalated) == []


async def test_what_was_met_in_time_is_not_told_also_when_we_hear_of_it_late(service: Service) -> None:
    clock = service.app.litestar.state.clock
    referral = await service.refer()
    await service.happens(referral["Task"], "aannemen")
    clock.set(DUE[ATTEMPT] + timedelta(days=2))
    at = {"name": "at", "valueDateTime": (DUE[ATTEMPT] - timedelta(days=1)).isoformat()}
    event = {"name": "event", "valueString": "niet bereikt"}
    said = await service.coach.post(
        f"/fhir/{referral['Task']}/$event", json={"resourceType": "Parameters", "parameter": [event, at]}
    )
    assert said.status_code == 200

    await look(service, clock.now())
    assert await told(service) == []


async def test_what_was_too_late_is_told_also_when_it_was_met_before_anybody_looked(service: Service) -> None:
    clock = service.app.litestar.state.clock
    referral = await service.refer()
    await service.happens(referral["Task"], "aannemen")
    clock.set(DUE[CONTACT] + timedelta(days=1))
    await service.happens(referral["Task"], "eerste contact")

    await look(service, clock.now())

    assert await told(service) == [(ATTEMPT, DUE[ATTEMPT]), (CONTACT, DUE[CONTACT])]
    steps = {each.step for each in await log_of(service) if isinstance(each, events.NormExceeded)}
    assert steps == {"contact zoeken"}  # as it was then
    runs = await service.rows("select norm from ketenzorg.due")
    assert not {ATTEMPT, CONTACT} & {row["norm"] for row in runs}


@pytest.mark.parametrize("most", [3, watching.MOST])
async def test_after_weeks_all_is_told_in_the_order_of_the_moments_in_bounded_rounds(
    service: Service, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    clock = service.app.litestar.state.clock
    for number in range(4):
        clock.set(START + timedelta(days=number))
        await service.refer(a_referral(str(number)))
    monkeypatch.setattr(watching, "MOST", most)

    while looked := await watcher_of(service).look(START + timedelta(weeks=6)):
        assert looked <= most

    moments = [each.at for each in await log_of(service) if isinstance(each, events.OfNorm)]
    assert moments == sorted(moments)
    assert len(moments) == 4 * (3 + 1)  # of each one was escalated


async def test_any_number_of_watchers_at_once_tell_it_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        await service.refer(a_referral(str(number)))
    monkeypatch.setattr(watching, "MOST", 2)
    pools = [Database(service.database.app_url) for _ in range(4)]
    world = service.app.litestar.state.world
    watchers = [Watcher(replace(world, dues=Dues(pool, SETTINGS.region, world.bell))) for pool in pools]
    now = START + timedelta(weeks=6)

    async def until_done(watcher: Watcher) -> None:
        for _ in range(40):
            await watcher.look(now)

    await asyncio.gather(*map(until_done, watchers))
    for pool in pools:
        await pool.close()
    await look(service, now)

    assert sorted(await told(service)) == sorted(pair for pair in DUE.items() for _ in range(6))
    seqs = await service.rows(
        "select traject, array_agg(seq order by seq) as seqs from ketenzorg.event group by 1"
    )
    assert [row["seqs"] for row in seqs] == [[1, 2, 3, 4, 5]] * 6  # one was escalated


async def test_a_watcher_that_fails_at_its_last_write_has_told_nothing(service: Service) -> None:
    await service.refer()
    await service.rows("alter table ketenzorg.due add constraint broken check (look is not null) not valid")
    now = START + timedelta(weeks=6)
    with pytest.raises(IntegrityError):
        await watcher_of(service).look(now)
    assert await told(service) == []

    await service.rows("alter table ketenzorg.due drop constraint broken")
    await look(service, now)
    assert await told(service) == [*DUE.items()]


async def test_a_step_in_the_very_moment_is_taken_all_the_same(service: Service) -> None:
    referral = await service.refer()
    clock = service.app.litestar.state.clock
    clock.set(START + timedelta(weeks=6))
    said = [service.happens(referral["Task"], "aannemen"), look(service, clock.now())]
    await asyncio.gather(*said)
    await look(service, clock.now())  # what the step held was passed over

    log = await log_of(service)
    assert [each.event for each in log if isinstance(each, events.StepTaken)] == ["aannemen"]
    assert await told(service) == [*DUE.items()]


async def test_the_clock_does_not_stand_in_the_way_of_undoing_and_undoing_tells_nothing_twice(
    service: Service,
) -> None:
    state = service.app.litestar.state
    referral = await service.refer()
    task, visit = UUID(referral["Task"].partition("/")[2]), Visit(COACH, Trail("test"))
    state.clock.set(DUE[ATTEMPT] - timedelta(hours=2))
    await service.happens(referral["Task"], "aannemen")
    await service.happens(referral["Task"], "niet bereikt")
    await undo(task, 3, visit, state.world)
    state.clock.set(DUE[ATTEMPT] + timedelta(hours=2))
    await look(service, state.clock.now())
    assert await told(service) == [(ATTEMPT, DUE[ATTEMPT])]

    await service.happens(referral["Task"], "niet bereikt")  # too late, and a mistake too
    await look(service, state.clock.now())
    assert (await story(task, visit, state.world)).may_undo
    await undo(task, 5, visit, state.world)
    await look(service, state.clock.now() + timedelta(days=1))

    assert await told(service) == [(ATTEMPT, DUE[ATTEMPT])]
    runs = await service.rows("select norm from ketenzorg.due order by at")
    assert [row["norm"] for row in runs][:3] == [ATTEMPT, CONTACT, MEETING]


async def test_one_on_which_we_stumble_holds_up_no_other(service: Service) -> None:
    await service.refer()
    await service.rows("update ketenzorg.traject set version = '9.9.9'")
    await service.refer(a_referral("2"))

    with capture_logs() as logs:
        await look(service, DUE[ATTEMPT] + timedelta(hours=1))

    assert {line["event"] for line in logs} == {"KZ-CLK-001"}
    assert await told(service) == [(ATTEMPT, DUE[ATTEMPT])]


async def test_time_that_leaps_in_a_sandbox_passes_every_moment_on_the_way(service: Service) -> None:
    await service.refer()
    later = (START + timedelta(weeks=4)).isoformat()
    keeper = Caller("klok", PRACTICE.organisation, PRACTICE.role, frozenset({CLOCK_SCOPE}), PRACTICE.region)
    token = tokens_of(SETTINGS, SECRET).issue(keeper, timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}"}
    moved = await service.his.put("/sandbox/clock", json={"now": later}, headers=headers)
    assert moved.status_code == 200, moved.text

    rows = await service.rows("select happened, recorded from ketenzorg.event where seq > 1 order by seq")
    assert [row["happened"] for row in rows] == sorted([*DUE.values(), REMINDED, ESCALATED])
    assert all(row["recorded"] - row["happened"] < timedelta(seconds=1) for row in rows)


async def test_who_was_asked_hears_once_that_the_answer_is_late_and_of_no_question_that_fell_away(
    service: Service,
) -> None:
    first, second = [await service.refer(a_referral(f"vraag-{number}")) for number in (1, 2)]
    for referral in (first, second):
        await service.happens(referral["Task"], "informatie vragen", vraag="Welke dagen?")
    found = (await service.his.get("/fhir/Task?status=requested")).json()["entry"]
    ends = {
        each["resource"]["restriction"]["period"]["end"] for each in found if "partOf" in each["resource"]
    }
    answer = datetime(2026, 1, 15, 23, 59, 59, tzinfo=AMSTERDAM)  # three working days
    assert ends == {"2026-01-15T22:59:59.000Z"}
    for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
        await service.happens(second["Task"], event)

    await look(service, answer + timedelta(hours=8))
    await look(service, answer + timedelta(hours=9))

    [exceeded] = [each for each in await log_of(service) if isinstance(each, events.NormExceeded)]
    assert (exceeded.norm, exceeded.at) == ("antwoord op een vraag", answer)
    assert (exceeded.role, exceeded.organisation) == ("verwijzer", PRACTICE.organisation)
    assert exceeded.told == (PRACTICE.organisation, COACH.organisation)
