"""Reads the pathway folder and gives a catalogue in which every pathway has been checked."""

from collections.abc import Mapping
from pathlib import Path

from ketenzorg.pathway.check import check_file
from ketenzorg.pathway.common import merge
from ketenzorg.pathway.definition import CommonFile, PathwayFile
from ketenzorg.pathway.findings import Finding, PathwayErrors, Place, with_lines
from ketenzorg.pathway.loaded import Catalogue, Pathway, compile_pathway
from ketenzorg.pathway.shape import read

REGION = "region"  # the folder beside the pathways that holds organisations, not a pathway
COMMON = "common"  # what pathways share, one file a version


def load(folder: Path) -> Catalogue:
    """Every version of every pathway below this folder; PathwayErrors with all findings of all files."""
    pathways, findings = survey(folder)
    if findings:
        raise PathwayErrors(findings)
    return Catalogue(pathways)


def survey(folder: Path) -> tuple[list[Pathway], list[Finding]]:
    """What can be used and what is wrong: for `ketenzorg pathway check`, which shows both."""
    files = sorted(path for path in folder.glob("*/*.toml") if path.parent.name not in (REGION, COMMON))
    if not files:
        nl, en = (
            "geen zorgpaden gevonden (<naam>/<versie>.toml).",
            "no pathways found (<name>/<version>.toml).",
        )
        return [], [Finding((), nl, en, file=folder.name)]
    pathways: list[Pathway] = []
    common, findings = _common(folder)
    for path in files:
        pathway, found = _one(path, common)
        findings += found
        pathways += [pathway] if pathway else []
    return pathways, findings


def _common(folder: Path) -> tuple[dict[str, CommonFile], list[Finding]]:
    """What pathways share, by version."""
    files: dict[str, CommonFile] = {}
    findings: list[Finding] = []
    for path in sorted((folder / COMMON).glob("*.toml")):
        text = path.read_text("utf-8")
        file, found = read(text, CommonFile)
        if file is not None and file.version != path.stem:
            nl, en = f"het bestand heet ‘{path.stem}’.", f"the file is called '{path.stem}'."
            found.append(Finding(("version",), nl, en))
        findings += with_lines(found, f"{COMMON}/{path.name}", text)
        if file is not None:
            files[file.version] = file
    return files, findings


def _one(path: Path, common: Mapping[str, CommonFile]) -> tuple[Pathway | None, list[Finding]]:
    label = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return None, [Finding((), "het bestand is geen UTF-8.", "the file is not UTF-8.", file=label)]
    file, findings = read(text, PathwayFile)
    if file is not None:
        wrong_shape = {finding.place for finding in findings}
        file, found = merge(file, common)
        findings += found
        names = [*_named_alike(file, path), *check_file(file)]
        findings += [finding for finding in names if not _below(finding.place, wrong_shape)]
    if file is None or findings:
        return None, with_lines(findings, label, text)
    return compile_pathway(file), []


def _below(place: Place, reported: set[Place]) -> bool:
    """Whether something was said about this place already: what stands there now is only a stand-in."""
    return any(place[:length] in reported for length in range(len(place) + 1))


def _named_alike(file: PathwayFile, path: Path) -> list[Finding]:
    """The folder is the name and the file is the version, so that `ls` shows what there is."""
    findings = []
    if file.name != path.parent.name:
        findings.append(
            Finding(("name",), f"de map heet ‘{path.parent.name}’.", f"the folder is '{path.parent.name}'.")
        )
    if file.version != path.stem:
        findings.append(
            Finding(("version",), f"het bestand heet ‘{path.stem}’.", f"the file is called '{path.stem}'.")
        )
    return findings
