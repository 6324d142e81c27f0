"""The region file: real municipalities, fictional organisations, and somebody for everybody."""

import re
import shutil
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from content import CATALOGUE, PATHWAYS
from ketenzorg.pathway.findings import PathwayErrors, path
from ketenzorg.pathway.region import Region, check_region, load_region
from ketenzorg.pathway.region_file import URA

WESTERHOEK = re.compile(r"(welzijn-westerhoek\][^\[]+)serves += .*\npathways += .*")
WRONG = r'\1serves = ["GM1968"]\npathways = ["welzijn"]'
WELZIJN = CATALOGUE.current("welzijn-op-recept")


@pytest.fixture(scope="module")
def groningen() -> Region:
    return load_region(PATHWAYS, "groningen", CATALOGUE)


def test_the_ten_municipalities_each_have_a_practice_and_a_coach(groningen: Region) -> None:
    assert len(groningen.municipalities) == 10
    for code in groningen.municipalities:
        assert groningen.candidates(WELZIJN, "verwijzer", code), code
        assert groningen.candidates(WELZIJN, "welzijnscoach", code), code


def test_an_organisation_is_found_by_id_and_by_number(groningen: Region) -> None:
    coach = groningen.candidates(WELZIJN, "welzijnscoach", "GM0014")[0]
    assert groningen.by_id(coach.id) is coach
    assert groningen.by_identifier(URA, coach.ura) is coach
    assert groningen.by_identifier(URA, "00000000") is None
    assert groningen.by_id(UUID(int=0)) is None


def test_a_municipality_is_known_by_code_and_by_name(groningen: Region) -> None:
    found = [groningen.municipality_code(text) for text in ("GM1966", " het hogeland ", "Assen")]
    assert found == ["GM1966", "GM1966", None]


def test_the_clients_of_the_demo_speak_for_their_organisations(groningen: Region) -> None:
    kinds = {name: groningen.of_client(name).kind for name in groningen.clients}
    assert kinds == {
        "his-demo": "huisartspraktijk",
        "welzijn-demo": "welzijnsorganisatie",
        "ziekenhuis-demo": "ziekenhuis",
        "apotheek-demo": "apotheek",
        "eloc-demo": "optometrie",
        "ketenteam-demo": "ketenteam",
    }


def test_refaja_is_never_a_place_for_an_emergency(groningen: Region) -> None:
    sites = [site for organisation in groningen.organisations for site in organisation.sites]
    (refaja,) = [site for site in sites if "Refaja" in site.name]
    assert all(capability.open and not capability.always for capability in refaja.capabilities)
    assert not any(capability.name == "spoedeisende hulp" for capability in refaja.capabilities)


def test_what_is_made_up_says_so(groningen: Region) -> None:
    for organisation in groningen.organisations:
        assert re.fullmatch(r"9999\d{4}", organisation.ura)
        assert organisation.kind == "ziekenhuis" or "(fictief)" in organisation.name


def test_who_can_do_what_is_asked_comes_nearest_first(groningen: Region) -> None:
    artrose = CATALOGUE.current("artrose")
    names = [
        each.name for each in groningen.candidates(artrose, "orthopeed", "GM1895", "topklinische orthopedie")
    ]
    assert names == ["Martini Ziekenhuis"]  # for this it takes all municipalities, for the rest it does not
    assert "Martini Ziekenhuis" not in [
        each.name for each in groningen.candidates(artrose, "orthopeed", "GM1895")
    ]
    assert [each.name for each in groningen.candidates(artrose, "orthopeed", "GM1969")] == [
        "Martini Ziekenhuis",
        "Wilhelmina Ziekenhuis Assen",  # outside the province: how far is not known
    ]
    ozg = groningen.by_identifier(URA, "99990023")
    assert ozg is not None
    assert groningen.kilometres(ozg, "GM1895") == 0
    assert groningen.kilometres(ozg, "GM0037") in range(
        16, 20
    )  # Stadskanaal to Winschoten, as the crow flies
    assert not groningen.fits(ozg, artrose, "orthopeed", "academische orthopedie")


def test_every_mistake_in_the_region_is_found_at_once(tmp_path: Path) -> None:
    shutil.copytree(PATHWAYS / "region", tmp_path / "region")
    file = tmp_path / "region" / "groningen.toml"
    text, found = WESTERHOEK.subn(WRONG, file.read_text("utf-8"))
    assert found == 1
    for was, becomes in {
        'ura  = "99990002"': 'ura  = "99990001"',
        'key = "WWA-2020"': 'key = "WWA-2019"',
    }.items():
        assert was in text
        text = text.replace(was, becomes, 1)
    file.write_text(text, "utf-8")
    with pytest.raises(PathwayErrors) as caught:
        load_region(tmp_path, "groningen", CATALOGUE)
    # One finding for each pathway that nobody takes there any more.
    assert list(dict.fromkeys(path(finding.place) for finding in caught.value.findings)) == [
        "organisations.welzijn-westerhoek.serves",
        "organisations.welzijn-westerhoek.pathways",
        "organisations.treant.sites[1]",
        "organisations.praktijk-wierde",
        "municipalities",
    ]


def test_a_role_that_nobody_plays_is_said_once_with_every_municipality(groningen: Region) -> None:
    nobody = {
        key: msgspec.structs.replace(
            each, pathways=[name for name in each.pathways if name != "valpreventie"]
        )
        for key, each in groningen.file.organisations.items()
    }
    found = check_region(msgspec.structs.replace(groningen.file, organisations=nobody), CATALOGUE)
    roles = [finding.en.split("'")[0] for finding in found]
    assert roles == ["no beoordelaar takes ", "no beweegbegeleider takes ", "no beweegaanbieder takes "]
    for finding in found:
        assert all(code in finding.nl for code in groningen.municipalities)


def test_a_missing_region_is_named(tmp_path: Path) -> None:
    with pytest.raises(PathwayErrors, match=re.escape("region/drenthe.toml")):
        load_region(tmp_path, "drenthe", CATALOGUE)
