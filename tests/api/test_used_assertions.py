"""An assertion is good for one token: here, after a restart and at another process, as long as it would be valid."""

import json

from joserfc import jws

from services import Service
from systems import another_process, refusal, register, speaking


async def test_an_assertion_is_good_for_one_token(service: Service) -> None:
    system = await register(service)
    signed = system.signed()
    await system.token(signed)
    refusal(await system.ask(signed), "invalid_client", "used before")
    again = system.signed(jti=jti_of(signed))  # signed anew, by who knows the key: the number was used
    refusal(await system.ask(again), "invalid_client", "used before")


async def test_an_assertion_is_good_for_one_token_also_after_a_restart_and_at_another_process(
    service: Service,
) -> None:
    system = await register(service)
    signed = system.signed()
    await system.token(signed)
    for _ in range(2):
        async with another_process(service) as app:
            service.stranger = speaking(app)
            refusal(await system.ask(signed), "invalid_client", "used before")


async def test_a_jti_of_one_client_may_be_anothers_too(service: Service) -> None:
    first, second = await register(service, "his-a"), await register(service, "his-b")
    for system in (first, second):
        await system.token(system.signed(jti="1"))


async def test_what_was_used_is_forgotten_when_it_would_no_longer_be_taken(service: Service) -> None:
    system = await register(service)
    used = "insert into ketenzorg.client_assertion select 'groningen', 'his-a', sha256(n::text::bytea), "
    await service.rows(f"{used} now() - make_interval(mins => 1 + n) from generate_series(1, 100) n")
    await service.rows(f"{used} now() + interval '1 hour' from generate_series(101, 105) n")
    await system.token()
    [row] = await service.rows(
        "select count(*) as left, min(expires) > now() as young from ketenzorg.client_assertion"
    )
    assert tuple(row) == (6, True)


def jti_of(signed: str) -> str:
    return str(json.loads(jws.extract_compact(signed.encode()).payload)["jti"])
