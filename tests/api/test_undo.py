"""A wrong click is undone by a correcting event; the mistake stays in the log, and what counts leaves it out."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from ketenzorg.cli.sandbox import caller_for
from ketenzorg.coordination.showing.own_part import say
from ketenzorg.coordination.showing.story import look_at
from ketenzorg.coordination.steps.undoing import WITHIN, undo
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.errors import PreconditionFailed, TransitionNotAllowed
from ketenzorg.store.worklist import Place, Wanted
from services import REGION, START, Service


def visit(client: str) -> Visit:
    return Visit(caller_for(REGION, client), Trail("test"))


def uuid_of(task: str) -> UUID:
    return UUID(task.partition("/")[2])


async def test_everything_is_as_it_was_and_the_mistake_stays_on_record(service: Service) -> None:
    world = service.app.litestar.state.world
    referral = await service.refer()
    task = referral["Task"]
    await service.happens(task, "aannemen")
    before = (await service.his.get(f"/fhir/{task}")).json()
    await service.happens(task, "ziet ervan af", reden_van_afzien="wil-niet")

    await undo(uuid_of(task), 3, visit("welzijn-demo"), world)

    after = (await service.his.get(f"/fhir/{task}")).json()
    assert after["meta"]["versionId"] == "4"
    assert {**after, "meta": 0, "lastModified": 0} == {**before, "meta": 0, "lastModified": 0}
    plan = (await service.his.get(f"/fhir/{referral['CarePlan']}")).json()
    assert (plan["status"], plan["extension"][0]["valueCodeableConcept"]["text"]) == (
        "active",
        "contact zoeken",
    )
    assert "end" not in plan["period"]
    assert (await service.his.get(f"/fhir/{referral['ServiceRequest']}")).json()["status"] == "active"
    log = await service.rows(
        "select event, body ->> 'corrects' as corrects from ketenzorg.event order by seq"
    )
    assert [tuple(row) for row in log][2:] == [("ziet ervan af", None), ("hersteld", "3")]
    stored = (await service.rows("select step, ended, counts from ketenzorg.traject"))[0]
    assert tuple(stored) == ("contact zoeken", None, "{}")
    found = await service.coach.get("/fhir/CarePlan?status=active")
    assert len(found.json()["entry"]) == 1
    # The traject goes on from there.
    await service.happens(task, "eerste contact")


async def test_an_attempt_that_was_undone_does_not_count(service: Service) -> None:
    world = service.app.litestar.state.world
    referral = await service.refer()
    await service.happens(referral["Task"], "aannemen")
    await service.happens(referral["Task"], "niet bereikt")
    await undo(uuid_of(referral["Task"]), 3, visit("welzijn-demo"), world)

    assert (await service.rows("select counts from ketenzorg.traject"))[0][0] == "{}"


async def test_only_the_own_last_step_and_not_after_a_day(service: Service) -> None:
    world = service.app.litestar.state.world
    referral = await service.refer()
    task = uuid_of(referral["Task"])
    with pytest.raises(TransitionNotAllowed):  # the referral itself is no click
        await undo(task, 1, visit("his-demo"), world)
    await service.happens(referral["Task"], "aannemen")
    with pytest.raises(TransitionNotAllowed):  # not theirs
        await undo(task, 2, visit("his-demo"), world)
    service.app.litestar.state.clock.set(START + WITHIN + timedelta(minutes=1))
    with pytest.raises(TransitionNotAllowed):
        await undo(task, 2, visit("welzijn-demo"), world)
    assert len(await service.rows("select 1 from ketenzorg.event")) == 2


async def test_the_worklist_follows_the_traject_and_keeps_what_is_the_organisations_own(
    service: Service,
) -> None:
    world = service.app.litestar.state.world
    coach, practice = visit("welzijn-demo"), visit("his-demo")
    referral = await service.refer()
    organisation = coach.caller.organisation

    new = Place("welzijn-op-recept", "0.1.0", "aangemeld", "welzijnscoach")
    wanted = Wanted(organisation, START, "anna", {"new": [new]})
    lines, _ = await world.worklist.page("new", wanted, coach.access(world, "search", "Task"))
    assert [(f"Task/{line.task}", line.role, line.step) for line in lines] == [
        (referral["Task"], "welzijnscoach", "aangemeld")
    ]
    assert await world.worklist.set_part(
        lines[0].traject, 0, coach.access(world, "note", "Task"), colleague="anna", file_number="2026/17"
    )
    await service.happens(referral["Task"], "aannemen")

    mine, counts = await world.worklist.page(
        "mine", wanted, coach.access(world, "search", "Task"), ["open", "new", "mine", "late"]
    )
    assert [(line.step, line.file_number, line.edition) for line in mine] == [
        ("contact zoeken", "2026/17", 1)
    ]
    assert counts == {"open": 1, "new": 0, "mine": 1, "late": 0}
    theirs, _ = await world.worklist.page(
        "open", Wanted(practice.caller.organisation, START), practice.access(world, "search", "Task")
    )
    assert [(line.role, line.colleague, line.file_number) for line in theirs] == [("verwijzer", None, None)]
    stranger = visit("ziekenhuis-demo")
    assert not await world.worklist.set_part(
        lines[0].traject, 0, stranger.access(world, "note", "Task"), file_number="x"
    )


async def test_of_two_who_write_at_one_moment_one_is_first(service: Service) -> None:
    world, coach = service.app.litestar.state.world, visit("welzijn-demo")
    task = uuid_of((await service.refer())["Task"])
    line = await world.worklist.line(coach.caller.organisation, task)
    written = await asyncio.gather(
        *(
            world.worklist.set_part(
                line.traject, 0, coach.access(world, "note", "Task"), file_number=f"2026/{number}"
            )
            for number in range(6)
        )
    )
    assert sorted(written) == [False] * 5 + [True]
    line = await world.worklist.line(coach.caller.organisation, task)
    assert (line.file_number, line.edition) == (f"2026/{written.index(True)}", 1)


async def test_undoing_what_is_no_longer_the_last_is_refused(service: Service) -> None:
    world = service.app.litestar.state.world
    task = (await service.refer())["Task"]
    await service.happens(task, "aannemen")
    await service.happens(task, "eerste contact")
    with pytest.raises(PreconditionFailed):
        await undo(uuid_of(task), 2, visit("welzijn-demo"), world)
    assert len(await service.rows("select 1 from ketenzorg.event")) == 3


async def test_news_is_what_another_wrote_or_ended_until_it_is_seen_or_undone(service: Service) -> None:
    world, practice = service.app.litestar.state.world, visit("his-demo")
    task = (await service.refer())["Task"]

    async def news(who: str) -> tuple[int, ...]:
        unread: tuple[int, ...] = (
            await world.worklist.line(visit(who).caller.organisation, uuid_of(task))
        ).unread
        return unread

    await service.happens(task, "aannemen")
    assert await news("his-demo") == ()  # a click is no news
    await service.happens(task, "informatie vragen", vraag="Welke dag?")
    await look_at(uuid_of(task), practice, world)
    assert await news("his-demo") == ()
    await service.happens(task, "ziet ervan af", reden_van_afzien="wil-niet")
    assert (await news("his-demo"), await news("welzijn-demo")) == ((4,), ())
    wanted = Wanted(practice.caller.organisation, START)
    looks = practice.access(world, "search", "Task")
    assert (await world.worklist.page("ended", wanted, looks, ["unread"]))[1] == {"unread": 1}
    await undo(uuid_of(task), 4, visit("welzijn-demo"), world)
    assert await news("his-demo") == ()
    await say(uuid_of(task), "informatie gegeven", {"antwoord": "Dinsdag."}, 5, "marieke", practice, world)
    assert (await news("his-demo"), await news("welzijn-demo")) == ((), (6,))
