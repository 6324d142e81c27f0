"""The table of who may do what: whole, no case decided twice, and nothing allowed that it does not say."""

from collections import Counter
from typing import get_args

import pytest

from ketenzorg.access.parts import part_of
from ketenzorg.access.rules import TABLE, Part, cells_of, rule_for, types_for
from ketenzorg.fhir import r4
from ketenzorg.fhir.search_in_body import DECLARED
from ketenzorg.referral.bundle import ACCEPTED
from services import CATALOGUE, REGION

A, B, C, D = (organisation.id for organisation in REGION.organisations[:4])


def test_every_case_is_decided_by_one_rule_and_every_id_stands_once() -> None:
    cells = Counter(cell for rule in TABLE.rule for cell in cells_of(rule))
    assert [cell for cell, times in cells.items() if times > 1] == []
    ids = [rule.id for rule in TABLE.rule]
    assert len(ids) == len(set(ids))
    assert {does for rule in TABLE.rule for does in rule.does} == set(TABLE.interactions)


def test_every_type_that_is_stored_stands_in_it_and_no_other() -> None:
    """OpenEMR forgot its CareTeam (CVE-2026-24487): a new type is seen by nobody until it stands here."""
    assert types_for("create") == ACCEPTED
    assert types_for("read") == ACCEPTED | {
        "Appointment",
        "CarePlan",
        "Composition",
    }  # kept for a hand-over; made by us
    assert types_for("search") == set(DECLARED)
    assert all(kinds <= r4.STORED_TYPES for kinds in TABLE.types.values())
    kinds = {kind for rule in TABLE.rule if rule.id == "sees-own-figures" for kind in rule.kinds}
    played = {
        kind for each in CATALOGUE.versions() for role in each.file.roles.values() for kind in role.kinds
    }
    assert kinds == played


@pytest.mark.parametrize("does", [*TABLE.interactions, "delete", "history", ""])
def test_who_has_no_part_may_do_nothing_in_a_traject(does: str) -> None:
    of_nobody = {kind for name in ("directory", "figures", "subscribed", "log") for kind in TABLE.types[name]}
    for kind in r4.STORED_TYPES - of_nobody:
        allowed = rule_for(does, kind, "none")
        assert allowed is None or allowed.id == "refers", (does, kind)


def test_who_left_changes_nothing_and_a_candidate_sees_what_is_asked_only() -> None:
    writes = ("event", "update", "patch", "add", "create", "told")
    assert not [does for does in writes for kind in r4.STORED_TYPES if rule_for(does, kind, "left")]
    answers = {
        (does, kind) for does in writes for kind in r4.STORED_TYPES if rule_for(does, kind, "candidate")
    }
    assert {kind for does, kind in answers if does != "told"} == {
        "Task"
    }  # its own, and nothing of the traject
    seen = {kind for kind in TABLE.types["traject"] if rule_for("read", kind, "candidate")}
    assert seen == {"Task", "ServiceRequest", "CarePlan"} == set(TABLE.candidate)
    reads = ("read", "vread", "history-instance", "history-type", "search", "told")
    for does in set(TABLE.interactions) - set(reads):
        assert not [kind for kind in seen - {"Task"} if rule_for(does, kind, "candidate")], does


def test_data_are_added_while_a_traject_runs_only() -> None:
    assert rule_for("add", "Observation", "owner")
    assert rule_for("add", "Observation", "owner", phase="ended") is None
    assert rule_for("add", "Patient", "owner") is None


def test_figures_are_for_the_kinds_that_are_named() -> None:
    found = {
        kind: rule_for("figures", "MeasureReport", "none", of=kind)
        for kind in ("ketenteam", "apotheek", "x", "")
    }
    assert [rule and rule.id for rule in found.values()] == [
        "sees-all-figures",
        "sees-own-figures",
        None,
        None,
    ]


def test_the_part_follows_from_the_hand_over_that_runs() -> None:
    pathway = CATALOGUE.current("artrose")
    roles = {"huisarts": A, "fysiotherapeut": B, "orthopeed": C, f"orthopeed#{D}": D}
    step = "verwezen naar de orthopeed"
    assert [part_of(each, pathway, step, roles, (A, C)) for each in (A, B, C, D)] == [
        "requester", "left", "owner", "left",
    ]  # fmt: skip
    assert part_of(B, pathway, step, roles, (A, B, C)) == "bystander"
    assert part_of(D, pathway, step, {"huisarts": A}, (A,)) == "none"
    assert {"requester", "left", "owner", "bystander", "none", "candidate", "withdrawn"} == set(
        get_args(Part)
    )
