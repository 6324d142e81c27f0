"""Numbers and secrets rest sealed, each bound to its row; keys are renewed while the service runs, and forgotten."""

import asyncio
import os
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from databases import APP_PASSWORD
from ketenzorg.access import rotation
from ketenzorg.access.data_key import DataKey
from ketenzorg.access.keyring import LOOK_AGAIN_S
from ketenzorg.access.keys import Keys
from ketenzorg.access.rotation import Moved, move_to_newest, rewrap
from ketenzorg.store.data_keys import DataKeys, KeyGone
from ketenzorg.store.ids import uuid7
from ketenzorg.store.migrate import migrate
from keys.conftest import OLD, WRONG, Process, Ring
from log_lines import capture_logs
from referrals import a_referral, of
from services import REGION, SECRET, Service
from subscribed import listening

NUMBERS = ("999990019", "999990020", "999990032", "999990044", "999990056")
COACH = REGION.of_client("welzijn-demo").id
AGE = "update ketenzorg.data_key set created = created - interval '2 minutes'"


async def refer(service: Service, number: str) -> str:
    """Where the Patient with this number is."""

    def about(bundle: dict[str, Any]) -> None:
        of(bundle, "Patient")["identifier"][0]["value"] = number

    return (await service.refer(a_referral(number[::-1], about)))["Patient"]


async def number_at(service: Service, location: str) -> str:
    """As the practice reads it now, whatever this process remembers."""
    response = await service.his.get(f"/fhir/{location}")
    assert response.status_code == 200, response.text
    value: str = response.json()["identifier"][0]["value"]
    return value


# Bound to its place


def test_what_a_key_sealed_opens_in_no_other_place() -> None:
    key, row = os.urandom(32), uuid7()
    sealed = DataKey("groningen", "a", key).seal(b"999990019", "personal_number", row)

    assert DataKey("groningen", "a", key).open(sealed, "personal_number", row) == b"999990019"
    for other, kind, place in (
        (DataKey("groningen", "a", os.urandom(32)), "personal_number", row),
        (DataKey("groningen", "b", key), "personal_number", row),
        (DataKey("drenthe", "a", key), "personal_number", row),
        (DataKey("groningen", "a", key), "endpoint", row),
        (DataKey("groningen", "a", key), "personal_number", uuid7()),
    ):
        with pytest.raises(InvalidTag):
            other.open(sealed, kind, place)  # type: ignore[arg-type]
    for at in range(len(sealed)):
        with pytest.raises(InvalidTag):
            DataKey("groningen", "a", key).open(
                sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], "personal_number", row
            )


async def test_swapped_rows_show_nobody_the_number_of_another(service: Service) -> None:
    ours, theirs = [await refer(service, number) for number in NUMBERS[:2]]
    await service.rows(
        "update ketenzorg.personal_number n set ciphertext = (select other.ciphertext from"
        " ketenzorg.personal_number other where other.token <> n.token)"
    )
    with capture_logs() as lines:
        assert {await number_at(service, each) for each in (ours, theirs)} == {"*********"}
    assert [line["level"] for line in lines if line["event"] == "KZ-KEY-002"] == ["error", "error"]


async def test_the_same_number_in_two_regions_is_two_rows_of_which_neither_opens_the_other(
    service: Service, ring: Ring
) -> None:
    await refer(service, NUMBERS[0])
    # Even with the same token and index, which one secret would give.
    await service.rows(
        "insert into ketenzorg.personal_number select 'drenthe', token, blind_index, key_id, ciphertext, parties"
        " from ketenzorg.personal_number"
    )
    [row] = await service.rows("select * from ketenzorg.personal_number where region = 'drenthe'")
    elsewhere = DataKey("drenthe", row["key_id"], ring().unwrapped((await ring()._store.all())[0]))
    with pytest.raises(InvalidTag):
        elsewhere.open(row["ciphertext"], "personal_number", row["token"])


# Renewing


async def test_a_rotation_that_was_interrupted_goes_on_and_every_number_stays_readable(
    service: Service, store: DataKeys, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients = {number: await refer(service, number) for number in NUMBERS}
    await service.listens(COACH, "https://coach.example", b"shared")
    monkeypatch.setattr(rotation, "PIECE", 2)
    worker = ring()
    await worker.make()

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await move_to_newest(worker, store, killed)
    old, new = (await store.all())[::-1]
    assert {(each.id, each.kind): each.uses for each in await store.uses()} == {
        (old.id, "personal_number"): 3,
        (new.id, "personal_number"): 2,
        (old.id, "endpoint"): 1,
    }
    for number, patient in patients.items():
        assert await number_at(service, patient) == number

    later = ring()  # the command again
    assert await move_to_newest(later, store) == Moved(4, 0)
    assert {each.id for each in await store.uses()} == {new.id}
    for number, patient in patients.items():
        assert await number_at(service, patient) == number
    [row] = await service.rows("select id, key_id, secret from ketenzorg.endpoint")
    assert (await later.opening([row["key_id"]]))[row["key_id"]].open(
        row["secret"], "endpoint", row["id"]
    ) == b"shared"


async def test_a_running_process_asks_once_for_a_key_that_it_does_not_know(
    store: DataKeys, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = ring(), ring()
    await here.newest()
    await elsewhere.make()
    sealed = await elsewhere.seal(b"999990019", "personal_number", COACH)
    asked, all_keys = [], store.all

    async def counted() -> Any:
        asked.append(1)
        return await all_keys()

    monkeypatch.setattr(store, "all", counted)
    for _ in range(3):
        assert await here.open(sealed, "personal_number", COACH) == b"999990019"
        assert await here.opening(["never there"]) == await here.opening([])
    assert len(asked) == 2  # for the new one, and for the one that is nowhere


async def test_a_running_process_seals_with_the_new_key_soon(ring: Ring) -> None:
    now = [0.0]
    here, elsewhere = ring(clock=lambda: now[0]), ring()
    first = await here.newest()
    await elsewhere.make()
    now[0] = LOOK_AGAIN_S
    assert (await here.newest()).id == first.id
    now[0] = LOOK_AGAIN_S + 0.1
    assert (await here.newest()).id == (await elsewhere.newest()).id != first.id


async def test_processes_that_start_at_once_make_one_key(store: DataKeys, ring: Ring) -> None:
    keys = await asyncio.gather(*(ring().newest() for _ in range(8)))
    assert len({key.id for key in keys}) == len(await store.all()) == 1


async def test_what_rested_before_there_were_data_keys_is_read_and_moves_along(
    service: Service, store: DataKeys, ring: Ring
) -> None:
    patient = await refer(service, NUMBERS[0])
    [row] = await service.rows("select token from ketenzorg.personal_number")
    nonce, token = os.urandom(12), row["token"]
    old = nonce + AESGCM(Keys.derive(SECRET).number).encrypt(nonce, NUMBERS[0].encode(), token.bytes)
    await service.rows(
        f"update ketenzorg.personal_number set key_id = '1', ciphertext = '\\x{old.hex()}'::bytea"
    )
    await service.rows(listening([COACH]))
    assert await number_at(service, patient) == NUMBERS[0]

    here = ring()
    assert await move_to_newest(here, store) == Moved(2, 0)
    assert {each.id for each in await store.uses()} == {(await here.newest()).id}
    assert await number_at(service, patient) == NUMBERS[0]
    [row] = await service.rows("select * from ketenzorg.endpoint")
    assert b"clear" not in row["secret"]


# The keys that wrap


async def test_a_missing_or_another_kek_is_503_until_it_is_back_and_nothing_is_lost(
    service: Service, store: DataKeys, ring: Ring, process: Process
) -> None:
    patient = await refer(service, NUMBERS[0])
    assert await rewrap(ring(f"{OLD}, secret"), store, "old") == 1

    for sources in ("secret", WRONG):
        async with process(sources) as without:
            answers = [
                await without.his.get(f"/fhir/{patient}"),
                await without.his.post("/fhir", json=a_referral("while it was away")),
                await without.stranger.get("/health/ready"),
            ]
        assert {each.status_code for each in answers} == {503}
        for each in answers:
            assert "ketenzorg keys list" in each.text
            assert "old" not in each.text  # how we keep keys is nobody's affair

    async with process(OLD) as again:
        assert (await again.stranger.get("/health/ready")).status_code == 200
        assert await number_at(again, patient) == NUMBERS[0]
        assert (await again.his.post("/fhir", json=a_referral("while it was away"))).status_code == 200


# Forgetting


async def test_a_key_goes_only_when_nothing_and_nobody_needs_it(
    service: Service, store: DataKeys, ring: Ring
) -> None:
    patient = await refer(service, NUMBERS[0])
    [old] = await store.all()
    here = ring()
    await here.make()
    await service.rows(AGE)
    assert not await store.destroy(old.id)  # it seals a number
    await move_to_newest(here, store)
    assert not await store.destroy((await here.newest()).id)  # the newest
    await service.rows("update ketenzorg.data_key set created = now() where id <> '" + old.id + "'")
    assert not await store.destroy(old.id)  # a process may still seal with it
    await service.rows(AGE)
    assert await store.destroy(old.id)
    assert await number_at(service, patient) == NUMBERS[0]


async def test_nothing_is_stored_that_was_sealed_with_a_key_that_is_gone(
    service: Service, store: DataKeys, ring: Ring, process: Process
) -> None:
    await refer(service, NUMBERS[0])  # this process now knows the first key, and looks again in half a minute
    [old] = await store.all()
    here = ring()
    await here.make()
    await move_to_newest(here, store)
    await service.rows(AGE)
    assert await store.destroy(old.id)

    late = await service.his.post("/fhir", json=a_referral("late"))
    with pytest.raises(KeyGone):
        await service.listens(COACH, "https://coach.example", b"shared")

    assert late.status_code == 503
    assert late.headers["Retry-After"]
    assert len(await service.rows("select from ketenzorg.traject")) == 1
    async with process() as fresh:
        assert (await fresh.his.post("/fhir", json=a_referral("late"))).status_code == 200


@pytest.mark.parametrize("with_its_keys", [True, False])
async def test_a_backup_from_before_both_keys_were_destroyed_tells_no_number(
    service: Service, store: DataKeys, ring: Ring, process: Process, *, with_its_keys: bool
) -> None:
    async with process(OLD) as before:
        patient = await refer(before, NUMBERS[0])
    await save(service, "personal_number", "data_key")

    both = ring(f"secret, {OLD}")
    assert await rewrap(both, store, "secret") == 1
    await both.make()
    assert await move_to_newest(both, store) == Moved(1, 0)
    await service.rows(AGE)
    assert await store.destroy((await store.all())[1].id)
    async with process() as now:
        assert await number_at(now, patient) == NUMBERS[0]

    # The old key-encryption key is nowhere any more; then somebody puts the backup back.
    await put_back(service, "personal_number", *(["data_key"] if with_its_keys else []))
    async with process() as after:
        response = await after.his.get(f"/fhir/{patient}")

    assert response.status_code == (503 if with_its_keys else 200)
    assert NUMBERS[0] not in response.text


async def save(service: Service, *tables: str) -> None:
    for table in tables:
        await service.rows(f"create table public.saved_{table} as select * from ketenzorg.{table}")


async def put_back(service: Service, *tables: str) -> None:
    for table in tables:
        await service.rows(f"truncate ketenzorg.{table}")
        await service.rows(f"insert into ketenzorg.{table} select * from public.saved_{table}")


async def test_there_is_no_way_back_over_numbers_that_nobody_could_read_then(service: Service) -> None:
    patient = await refer(service, NUMBERS[0])
    with pytest.raises(Exception, match="they are lost"):
        await migrate(service.database.admin_url, app_password=APP_PASSWORD, to="0004")
    assert await number_at(service, patient) == NUMBERS[0]
