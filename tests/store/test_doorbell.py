"""The worker is rung for when a write left something to send."""

import pytest

from ketenzorg.store.doorbell import Doorbell
from referrals import a_referral
from services import REGION, Service
from subscribed import listening


async def test_a_referral_rings_when_somebody_hears_of_it_and_else_nobody_is_disturbed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(Doorbell, "ring", lambda _: rung.append("ring"))
    await service.refer(a_referral("for nobody"))
    assert rung == []

    await service.rows(listening([REGION.of_client("welzijn-demo").id]))
    await service.refer(a_referral("for the coach"))
    assert rung == ["ring"]
    await service.refer(a_referral("for the coach"))  # the same again: nothing is new
    assert rung == ["ring"]
