"""What the demo's parties read in the answer to a referral: where it is, who must act, what was said."""

import re
from collections.abc import Iterator
from uuid import UUID

from ketenzorg.cli.demo.lines import Json, said
from ketenzorg.pathway.region import Organisation, Region

TO_ACT = re.compile(r"\(Organization/([0-9a-f-]{36})\)")


def notices(answer: Json) -> list[str]:
    """The texts of all outcomes."""
    outcomes = (entry["response"].get("outcome", {}) for entry in answer["entry"])
    return [text for outcome in outcomes for text in said(outcome)]


def to_act(answer: Json, region: Region) -> Organisation | None:
    """Who must act, as the answer tells the sender."""
    told = (TO_ACT.search(text) for text in notices(answer))
    return next((region.by_id(UUID(found[1])) for found in told if found), None)


def location(answer: Json, kind: str) -> str:
    """The address of the first resource of a kind."""
    locations: Iterator[str] = (entry["response"]["location"] for entry in answer["entry"])
    return next(each for each in locations if each.startswith(f"{kind}/")).partition("/_history")[0]
