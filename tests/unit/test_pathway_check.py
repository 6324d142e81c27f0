"""Every mistake that is put into the real pathway file is found, with its place and line, and all at once."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ketenzorg.pathway.findings import Finding, PathwayErrors, path
from ketenzorg.pathway.load import load, survey

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
