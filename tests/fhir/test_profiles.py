"""Everything in fhir_profiles/ is valid R4 under its own name, and what we refer to is there."""

from pathlib import Path
from typing import get_args

import pytest

from content import CATALOGUE
from ketenzorg.coordination.reading.audit_event import INTERACTION, PROFILE
from ketenzorg.fhir import json
from ketenzorg.fhir.decode import decode
from ketenzorg.referral import codes
from ketenzorg.store.audit import Interaction

FOLDER = Path(__file__).parents[2] / "fhir_profiles"
FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", [*FILES, *FOLDER.glob("examples/*.json")], ids=lambda path: path.stem)
def test_valid_r4(path: Path) -> None:
    decode(path.read_bytes())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_named_as_it_is_called(path: Path) -> None:
    resource = json.read(path.read_bytes())
    assert path.stem == f"{resource['resourceType']}-{resource['id']}"
    assert resource["url"] == f"{codes.BASE}/{resource['resourceType']}/{resource['id']}"


def test_what_resources_of_ours_refer_to_is_defined() -> None:
    urls = {json.read(path.read_bytes())["url"] for path in FILES}
    assert {codes.STEP_EXTENSION, codes.REASON_SYSTEM, codes.OUTPUT_SYSTEM} <= urls
    assert {INTERACTION, PROFILE} <= urls


def test_every_interaction_of_the_audit_log_has_its_code() -> None:
    concepts = json.read((FOLDER / "CodeSystem-interaction.json").read_bytes())["concept"]
    assert {each["code"] for each in concepts} == {*get_args(Interaction), "correlation"}


def test_every_pathway_has_its_code() -> None:
    pathways = json.read((FOLDER / "CodeSystem-pathway.json").read_bytes())["concept"]
    assert {each["code"] for each in pathways} == set(CATALOGUE.names)
