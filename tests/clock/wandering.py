"""One traject of any pathway, led anywhere its parties may take it, over HTTP."""

import json
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import msgspec

from ketenzorg import events
from ketenzorg.pathway.loaded import Pathway
from referrals import said
from services import Service
from spec.beginnings import BEGINNINGS
from spec.over_http import HOUSES, URAS
from spec.talking import Option, call, options_of

TRAJECT = """
    select t.id, t.task, t.roles::text, coalesce(t.involved, t.parties) as involved,
        (select array_agg(e.body::text order by e.seq) from ketenzorg.event e where e.traject = t.id) as log,
        (select array_agg(e.seq order by e.seq) from ketenzorg.event e where e.traject = t.id) as seqs
    from ketenzorg.traject t
    join ketenzorg.referral_identity i on i.traject = t.id and i.value = 'wandeling-{number}'
"""


class Standing(NamedTuple):
    """Where the traject is, past every wall."""

    id: UUID
    task: UUID
    roles: dict[str, UUID]  # of who takes part now
    log: list[tuple[int, events.Event]]


class Wanderer:
    """Walks one traject; who says what is whoever plays the role."""

    def __init__(self, service: Service, pathway: Pathway, number: int, bsn: str) -> None:
        self.service, self.pathway, self.number, self.bsn = service, pathway, number, bsn

    async def begin(self, which: int) -> None:
        """The referral that begins it, one of those with which the walks of this pathway begin."""
        ways = BEGINNINGS[self.pathway.name]
        beginning = ways[sorted(ways)[which % len(ways)]]
        performers = [beginning.owner] if beginning.owner else []
        bundle = beginning.bundle(self.pathway.name, self.number, self.bsn, performers, URAS)
        await call(self.service, HOUSES[beginning.sender].id, "POST", "/fhir", bundle, 200)

    async def step(self, which: int, code: int) -> bool:
        """Something that may happen now, with one of the codes that it may bring; False when nothing may."""
        now = await self.standing()
        options = [each for each in await self.options(now) if any(role in now.roles for role in each.by)]
        if not options:
            return False
        option = options[which % len(options)]
        role = next(role for role in option.by if role in now.roles)
        await self.say(now, option, now.roles[role], code)
        return True

    async def options(self, now: Standing) -> list[Option]:
        """What may happen next, as who asks or performs reads it."""
        for party in dict.fromkeys(now.roles.values()):
            answer = await call(self.service, party, "GET", f"/fhir/Task/{now.task}/$next")
            if answer.status_code == 200:
                return options_of(answer.json()["parameter"])
        return []

    async def say(self, now: Standing, option: Option, who: UUID, code: int = 0) -> None:
        codes = {name: self.pathway.file.needs[name].codes or ["Tekst."] for name in option.needs}
        needs = {name: each[code % len(each)] for name, each in codes.items()}
        body = said(option.event, **needs)
        if option.organisations:
            reference = {"reference": f"Organization/{option.organisations[0]}"}
            body["parameter"].append({"name": "organisatie", "valueReference": reference})
        # An answer to what nobody asked is refused, and so is what the patient objects to, and a house that does not do
        # it at the echelon that was said: nothing happened.
        answer = await call(self.service, who, "POST", f"/fhir/Task/{now.task}/$event", body)
        assert answer.status_code in (200, 409) or _code_of(answer) in ("suppressed", "cannot-perform"), (
            answer.text
        )

    async def standing(self) -> Standing:
        [row] = await self.service.rows(TRAJECT.format(number=self.number))
        log = [msgspec.json.decode(body, type=events.Event) for body in row["log"]]
        played = {role: UUID(party) for role, party in json.loads(row["roles"]).items()}
        roles = {role: party for role, party in played.items() if party in row["involved"]}
        return Standing(row["id"], row["task"], roles, list(zip(row["seqs"], log, strict=True)))

    async def dues(self) -> list[Any]:
        """The rows of what runs."""
        now = await self.standing()
        return await self.service.rows(
            f"select norm, began, within, at from ketenzorg.due where traject = '{now.id}' and until is null"
            " order by at, norm"
        )


def _code_of(answer: httpx.Response) -> str:
    issue = answer.json()["issue"][0]
    return str(issue["code"] if issue["code"] == "suppressed" else issue["details"]["coding"][0]["code"])
