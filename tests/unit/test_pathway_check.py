"""Every mistake that is put into the real pathway file is found, with its place and line, and all at once."""

import shutil
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from ketenzorg.pathway.checking.consent import check_consent_versions
from ketenzorg.pathway.findings import Finding, PathwayErrors, path
from ketenzorg.pathway.load import load, survey
from ketenzorg.pathway.region_file import CARE_PROVIDERS, Kind

PATHWAYS = Path(__file__).parents[2] / "pathways"
REAL = (PATHWAYS / "welzijn-op-recept" / "0.1.0.toml").read_text("utf-8")
MISTAKES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "pathway_mistakes.toml").read_text("utf-8")
)["mistake"]
FIRST_IN_WALKS = next(number for number, mistake in enumerate(MISTAKES) if mistake["name"] == "never reached")


def findings_of(text: str, folder: Path) -> list[Finding]:
    (folder / "welzijn-op-recept").mkdir()
    (folder / "welzijn-op-recept" / "0.1.0.toml").write_text(text, "utf-8")
    return survey(folder)[1]


NIER = "chronische-nierschade/0.1.0.toml"
COMMON = "common/0.1.0.toml"
IN_TABLES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "pathway_mistakes_tables.toml").read_text("utf-8")
)["mistake"]
FIRST_PROOF = next(at for at, mistake in enumerate(IN_TABLES) if mistake["name"] == "gap in the matrix")


def nier_with(folder: Path, *mistakes: dict[str, Any]) -> list[Finding]:
    """The findings in chronische-nierschade, or the file named, and what it shares, with these mistakes in them."""
    named = {mistake["file"] for mistake in mistakes if "file" in mistake} - {COMMON}
    for name in (*(named or {NIER}), COMMON):
        text = (PATHWAYS / name).read_text("utf-8")
        for mistake in mistakes:
            if mistake.get("file", NIER) == name:
                text = changed(mistake, text)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return survey(folder)[1]


def changed(mistake: dict[str, Any], text: str = REAL) -> str:
    for was, becomes in mistake["changes"]:
        assert was in text, "the pathway file has changed: seed this mistake anew"
        text = text.replace(was, becomes, 1)
    return text


def test_the_real_pathways_have_no_findings() -> None:
    pathways, findings = survey(PATHWAYS)
    assert (len(pathways) >= 1, findings) == (True, [])


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_a_mistake_is_found(mistake: dict[str, Any], tmp_path: Path) -> None:
    findings = findings_of(changed(mistake), tmp_path)
    assert [
        item for item in findings if path(item.place) == mistake["place"] and mistake["says"] in item.en
    ], [f"{item.where()} {item.en}" for item in findings]


@pytest.mark.parametrize("mistake", IN_TABLES, ids=lambda mistake: mistake["name"])
def test_a_mistake_in_tables_and_shared_blocks_is_found(mistake: dict[str, Any], tmp_path: Path) -> None:
    findings = nier_with(tmp_path, mistake)
    file = mistake.get("file", NIER)
    assert [
        item
        for item in findings
        if path(item.place) == mistake["place"]
        and mistake["says"] in item.en
        and item.where().startswith(file)
    ], [f"{item.where()} {item.en}" for item in findings]


def test_twenty_mistakes_in_tables_give_twenty_findings(tmp_path: Path) -> None:
    text = (PATHWAYS / NIER).read_text("utf-8")
    # Each by itself, and none that takes away what others are about.
    apart = [
        mistake
        for mistake in IN_TABLES[:FIRST_PROOF]
        if "file" not in mistake
        and mistake["name"] not in ("unknown block", "row without a source", "watch without a length")
        if all(text.count(was) == 1 for was, _ in mistake["changes"])
        if len(mistake["changes"]) == 1
    ]
    seeded: list[dict[str, Any]] = []
    for mistake in apart:
        if all(was in text for was, _ in mistake["changes"]):
            text, seeded = changed(mistake, text), [*seeded, mistake]
    found = {(path(item.place), item.en) for item in nier_with(tmp_path, *seeded)}
    missed = [
        mistake["name"]
        for mistake in seeded
        if not any(place == mistake["place"] and mistake["says"] in says for place, says in found)
    ]
    assert missed == []
    assert len(seeded) >= 20
    assert len(found) >= len(seeded)


def test_a_mistake_in_a_shared_block_is_said_once_with_the_pathways_in_which_it_shows(tmp_path: Path) -> None:
    shutil.copytree(PATHWAYS, tmp_path / "pathways")
    file = tmp_path / "pathways" / COMMON
    [mistake] = [each for each in IN_TABLES if each["name"] == "unknown code in a shared block"]
    file.write_text(changed(mistake, file.read_text("utf-8")), "utf-8")
    [finding] = survey(tmp_path / "pathways")[1]
    assert finding.where().startswith(f"{COMMON}:")
    assert "antistolling" in finding.en
    assert "chronische-nierschade" in finding.en


LOOSER = {
    "alarm rule left out": (
        'unless = { vermoeden-acuut = "nee" }', 'unless = { twijfel = "nee" }',
        "'vermoeden van acute nierschade' alarmed there for vermoeden-acuut = ja",
    ),
    "alarm row narrowed": (
        'acute-nierschade = "ja" }, then = { alarm', 'acute-nierschade = "ja", egfr = "< 60" }, then = { alarm',
        "'acute stijging van kreatinine' alarmed there for acute-nierschade = ja, vermoeden-acuut = nee, egfr = 60",
    ),
    "alarm row for what is known only": (
        'acute-nierschade = "ja" }, then = { alarm', 'acute-nierschade = "ja", egfr = "bekend" }, then = { alarm',
        "for acute-nierschade = ja, vermoeden-acuut = nee, egfr onbekend",
    ),
    "formula moved": ("stijging-in-48-uur = 20", "stijging-in-48-uur = 22", "'stijging-in-48-uur' was 20"),
    "another formula": (
        '{ kreatinine-reeks = "kreatinine" }', '{ kreatinine-reeks = "kreatinine-thuis" }', "cannot be compared",
    ),
}  # fmt: skip
SECOND = """[data.kreatinine-thuis]
ask     = "Kreatinine, thuis geprikt"
type    = "getal"
need    = "mag"
measure = "kreatinine"
unit    = "umol/L"
series  = true
source  = { status = "proposal" }

"""


def two_versions(folder: Path, was: str, becomes: str) -> list[Finding]:
    shutil.copytree(PATHWAYS / "common", folder / "common")
    (folder / "chronische-nierschade").mkdir()
    old = (PATHWAYS / NIER).read_text("utf-8").replace("[data.egfr]", f"{SECOND}[data.egfr]")
    old = old.replace("stijging-in-48-uur = 25", "stijging-in-48-uur = 20")
    assert was in old
    new = old.replace(was, becomes, 1).replace('version     = "0.1.0"', 'version     = "0.2.0"')
    # The input is looked at by the table too.
    new = (
        new.replace('inputs   = ["acute-nierschade"]', 'inputs   = ["acute-nierschade", "egfr"]')
        if "egfr = " in becomes
        else new
    )
    for version, text in (("0.1.0", old), ("0.2.0", new)):
        (folder / "chronische-nierschade" / f"{version}.toml").write_text(text, "utf-8")
    return survey(folder)[1]


@pytest.mark.parametrize(("was", "becomes", "says"), LOOSER.values(), ids=LOOSER)
def test_a_new_version_never_alarms_less(was: str, becomes: str, says: str, tmp_path: Path) -> None:
    [finding] = two_versions(tmp_path, was, becomes)
    assert finding.where().startswith("chronische-nierschade/0.2.0.toml:")
    assert says in finding.en


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('{ when = { acute-nierschade = "ja" }, then', '{ when = { acute-nierschade = "ja of onbekend" }, then'),
        ("stijging-in-48-uur = 20", "stijging-in-48-uur = 15"),
        ('name   = "vermoeden van acute nierschade"', 'name   = "acute nierschade vermoed"'),
    ],
)  # fmt: skip
def test_a_new_version_may_alarm_more(was: str, becomes: str, tmp_path: Path) -> None:
    assert two_versions(tmp_path, was, becomes) == []


def test_a_new_version_never_asks_for_less_consent(tmp_path: Path) -> None:
    catalogue = load(PATHWAYS)
    file = catalogue.current("welzijn-op-recept").file
    coach, condition = file.roles["welzijnscoach"], file.condition[0]
    presumed = replace(coach, consent="verondersteld")
    looser = {
        "presumed": replace(file, roles={**file.roles, "welzijnscoach": presumed}),
        "under another name": replace(file, roles={"verwijzer": file.roles["verwijzer"], "coach": presumed}),
        "no condition": replace(file, condition=[]),
        "another condition": replace(file, condition=[replace(condition, unless={"gevaar": "nee"})]),
    }
    for name, new in looser.items():
        [finding] = check_consent_versions(file, new)
        assert "looser than version 0.1.0" in finding.en, name
    renamed = replace(file, roles={"verwijzer": file.roles["verwijzer"], "coach": coach})
    stricter = replace(file, condition=[*file.condition, replace(condition, name="nog een")])
    assert [*check_consent_versions(file, renamed), *check_consent_versions(file, stricter)] == []


def test_a_kind_of_organisation_is_a_care_provider_or_needs_explicit_consent() -> None:
    assert set(get_args(Kind)) > CARE_PROVIDERS
    assert set(get_args(Kind)) - CARE_PROVIDERS == {"welzijnsorganisatie", "ketenteam"}


def test_what_was_proved_is_not_proved_again_until_anything_changes(tmp_path: Path) -> None:
    folder, proven = tmp_path / "pathways", tmp_path / "proven"
    shutil.copytree(PATHWAYS, folder)
    first = load(folder, proven)
    assert proven.exists()
    again = load(folder, proven)
    assert [pathway.file for pathway in again.versions()] == [pathway.file for pathway in first.versions()]
    proven.write_bytes(b"nonsense")
    assert load(folder, proven).names == first.names
    file = folder / COMMON
    file.write_text(
        file.read_text("utf-8").replace('from   = ["uitstellen"]', 'from   = ["uitstel"]'), "utf-8"
    )
    with pytest.raises(PathwayErrors):
        load(folder, proven)


def test_a_finding_points_to_the_line(tmp_path: Path) -> None:
    text = REAL.replace('to = "wachten op antwoord"', 'to = "wachten"', 1)
    (finding,) = findings_of(text, tmp_path)
    line = next(number for number, words in enumerate(text.splitlines(), 1) if 'to = "wachten"' in words)
    assert finding.where() == f'welzijn-op-recept/0.1.0.toml:{line}: steps."brief sturen".next[0].to'
    assert finding.nl.startswith("onbekende stap ‘wachten’.")


def test_many_mistakes_are_found_at_once(tmp_path: Path) -> None:
    """All that stand apart and show without walking: each still gives its finding when the others are there."""
    text, seeded = REAL, []
    for mistake in MISTAKES[:FIRST_IN_WALKS]:
        if all(was in text for was, _ in mistake["changes"]):
            text, seeded = changed(mistake, text), [*seeded, mistake]
    found = [(path(item.place), item.en) for item in findings_of(text, tmp_path)]
    missed = [
        mistake["name"]
        for mistake in seeded
        if not any(place == mistake["place"] and mistake["says"] in says for place, says in found)
    ]
    assert len(seeded) >= 20
    assert missed == []


def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    (finding,) = findings_of("name = welzijn\n", tmp_path)
    assert finding.where() == "welzijn-op-recept/0.1.0.toml: bestand"
    assert "line 1" in finding.en


def test_a_file_in_another_folder_or_under_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "welzijn").mkdir()
    (tmp_path / "welzijn" / "0.2.0.toml").write_text(REAL, "utf-8")
    assert [path(finding.place) for finding in survey(tmp_path)[1]] == ["name", "version"]


def test_loading_stops_at_any_finding_and_says_all_of_them(tmp_path: Path) -> None:
    text = REAL.replace("bel nu", "bel", 1).replace('max    = "8 weken"', 'max    = "8 weeks"')
    findings_of(text, tmp_path)
    with pytest.raises(PathwayErrors) as caught:
        load(tmp_path)
    assert len(caught.value.issues) == len(caught.value.findings) == 2


def test_an_empty_folder_is_not_an_empty_catalogue(tmp_path: Path) -> None:
    with pytest.raises(PathwayErrors, match="no pathways found"):
        load(tmp_path)


def test_the_catalogue_finds_a_pathway_by_name_version_canonical_and_code() -> None:
    catalogue = load(PATHWAYS)
    pathway = catalogue.current("welzijn-op-recept")
    base = "https://ketenzorg.example/fhir"
    url = f"{base}/PlanDefinition/welzijn-op-recept"
    assert catalogue.by_canonical(url) is pathway
    assert (
        catalogue.by_canonical(f"{url}|0.1.0") is pathway is catalogue.version("welzijn-op-recept", "0.1.0")
    )
    assert catalogue.by_canonical(f"{url}|9.9.9") is None
    assert catalogue.by_canonical("https://elsewhere.example/PlanDefinition/welzijn-op-recept") is None
    code = (f"{base}/CodeSystem/pathway", "welzijn-op-recept")
    assert catalogue.by_code([("http://snomed.info/sct", "1"), code]) is pathway
    assert catalogue.by_code([("http://snomed.info/sct", "1")]) is None


def test_a_newer_version_is_current_and_the_old_one_stays(tmp_path: Path) -> None:
    for version in ("0.1.0", "0.2.0", "0.10.0"):
        (tmp_path / "welzijn-op-recept").mkdir(exist_ok=True)
        text = REAL.replace('version     = "0.1.0"', f'version     = "{version}"')
        (tmp_path / "welzijn-op-recept" / f"{version}.toml").write_text(text, "utf-8")
    catalogue = load(tmp_path)
    assert catalogue.current("welzijn-op-recept").version == "0.10.0"
    assert catalogue.version("welzijn-op-recept", "0.1.0").version == "0.1.0"


def test_the_example_of_the_readme_is_a_pathway_without_findings(tmp_path: Path) -> None:
    example = (PATHWAYS / "README.md").read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    shutil.copytree(PATHWAYS / "common", tmp_path / "common")
    (tmp_path / "voorbeeld").mkdir()
    (tmp_path / "voorbeeld" / "0.1.0.toml").write_text(example, "utf-8")
    assert load(tmp_path).names == ["voorbeeld"]
