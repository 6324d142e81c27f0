"""Our profiles: each has a valid example, and of each rule a broken one that breaks that rule and nothing else."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from any_resource import any_resource, written
from ketenzorg.coordination.choosing.candidates import NO_MORE_ASKED
from ketenzorg.fhir.definitions import Definitions
from ketenzorg.fhir.profiles import Profiles
from ketenzorg.fhir.validate import validate
from ketenzorg.pathway.published import published
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.coordination_task import not_chosen_task
from services import CATALOGUE, SETTINGS

EXAMPLES = SETTINGS.profiles / "examples"
VALID = sorted((EXAMPLES / "valid").glob("*.json"))
BROKEN = sorted((EXAMPLES / "broken").glob("*.json"))


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Profiles:
    """Ours, and no packages."""
    own = published(SETTINGS.profiles, CATALOGUE)
    return Profiles(Definitions(lambda: own, tmp_path_factory.mktemp("no-packages")))


def names(path: Path) -> tuple[str, str]:
    """The profile that an example is of, and the rule that it breaks."""
    kind, profile, rule = (*path.stem.split("-", 2), "")[:3]
    return f"{BASE}/StructureDefinition/{kind}-{profile}", rule


def wrong(body: bytes, profile: str, profiles: Profiles) -> list[Any]:
    return [issue for issue in validate(body, [profile], profiles) if issue.severity in ("error", "fatal")]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_example_is_valid(path: Path, profiles: Profiles) -> None:
    assert wrong(path.read_bytes(), names(path)[0], profiles) == []


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_example_breaks_its_rule_and_no_other(path: Path, profiles: Profiles) -> None:
    profile, rule = names(path)
    [issue] = wrong(path.read_bytes(), profile, profiles)
    if rule.startswith("kz-"):
        assert "-".join(rule.split("-")[:3]) in issue.en
    else:
        assert rule.partition("-")[0] in re.sub(r"\[\d+\]", "", issue.expression[0])
    assert issue.nl != issue.en


def test_every_rule_of_a_profile_has_its_broken_example() -> None:
    broken = {path.stem for path in BROKEN}
    for path in VALID:
        definition = json.loads(
            (SETTINGS.profiles / f"StructureDefinition-{path.stem}.json").read_text("utf-8")
        )
        for element in definition["differential"]["element"]:
            at = element["id"].partition(".")[2].partition(":")[0]
            for constraint in element.get("constraint", ()):
                assert f"{path.stem}-{constraint['key']}" in broken
            if at and not element.get("constraint"):
                rule = f"{path.stem}-{at}"
                assert any(each == rule or each.startswith(f"{rule}-") for each in broken), element["id"]


def test_the_codes_of_the_pathways_that_run_are_published() -> None:
    found = {each["url"]: each for each in published(SETTINGS.profiles, CATALOGUE)}
    for pathway in CATALOGUE.versions():
        steps = found[f"{BASE}/CodeSystem/{pathway.name}-step"]["concept"]
        assert {step["code"] for step in steps} >= set(pathway.steps)
        assert pathway.url in found
        reasons = {each["code"] for each in found[f"{BASE}/CodeSystem/reason"]["concept"]}
        assert reasons >= set(pathway.file.codes)
    states = found[f"{BASE}/ValueSet/hand-over-status"]["compose"]["include"][0]["concept"]
    taken = {step.task for pathway in CATALOGUE.versions() for step in pathway.steps.values()}
    taken.discard("")  # of a side step: the hand-over stays as it was
    assert {each["code"] for each in states} >= taken


def test_a_task_of_who_was_not_chosen_is_one_too(profiles: Profiles) -> None:
    body = (EXAMPLES / "valid" / "kz-CoordinationTask.json").read_bytes()
    task = not_chosen_task(
        body, UUID(json.loads(body)["id"]), 2, NO_MORE_ASKED, datetime(2026, 1, 13, 9, 0, tzinfo=UTC)
    )
    assert "for" not in json.loads(task)
    assert wrong(task, f"{BASE}/StructureDefinition/kz-CoordinationTask", profiles) == []


def test_whatever_comes_in_gets_an_answer_with_places(profiles: Profiles) -> None:
    """Broken values reach the rules of profiles too: none of them may trip over one."""
    kinds = {path.stem: json.loads(path.read_text("utf-8"))["resourceType"] for path in VALID}
    for name, kind in kinds.items():
        for n in range(40):
            body = written(any_resource(kind, Random(f"{name} {n}")))
            found = validate(body, [f"{BASE}/StructureDefinition/{name}"], profiles)
            assert found
            places = [place for issue in found for place in issue.expression]
            assert all(
                re.fullmatch(r"[A-Za-z]+(\.[A-Za-z_?]+|\[\d+\]|\.ofType\([A-Za-z]+\))*", each)
                for each in places
            )
