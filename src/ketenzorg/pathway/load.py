"""Reads the pathway folder and gives a catalogue in which every pathway has been checked."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import msgspec

from ketenzorg.pathway.checking.check import check_file
from ketenzorg.pathway.checking.consent import check_consent_versions
from ketenzorg.pathway.checking.versions import check_versions
from ketenzorg.pathway.common import merge, origins
from ketenzorg.pathway.definition import CommonFile, PathwayFile
from ketenzorg.pathway.findings import Finding, PathwayErrors, Place, with_lines
from ketenzorg.pathway.loaded import Catalogue, Pathway, age, compile_pathway
from ketenzorg.pathway.shape import read

REGION = "region"  # the folder beside the pathways that holds organisations, not a pathway
COMMON = "common"  # what pathways share, one file a version


class Common(msgspec.Struct, frozen=True):
    """One version of what pathways share, with its text for naming lines."""

    file: CommonFile
    label: str
    text: str


class Proven(msgspec.Struct, frozen=True):
    """What the checks found nothing in, and the content and program for which that was so."""

    key: str
    files: list[PathwayFile]


def load(folder: Path, proven: Path | None = None) -> Catalogue:
    """Every version of every pathway below this folder; PathwayErrors with all findings of all files.

    `proven` is a file that keeps the pathways in which the checks found nothing, so that a start repeats neither
    the checks nor the reading. It counts only for a hash of every file and of this program: whatever changes, is
    read and checked.
    """
    key = _fingerprint(folder)
    if proven is not None and (kept := _kept(proven, key)) is not None:
        return Catalogue(compile_pathway(file) for file in kept)
    pathways, findings = survey(folder)
    if findings:
        raise PathwayErrors(findings)
    if proven is not None and _fingerprint(folder) == key:  # nothing was written meanwhile
        _keep(proven, Proven(key, [pathway.file for pathway in pathways]))
    return Catalogue(pathways)


def survey(folder: Path) -> tuple[list[Pathway], list[Finding]]:
    """What can be used and what is wrong: for `ketenzorg pathway check`, which shows both."""
    paths = _files(folder)
    if not paths:
        nl, en = (
            "geen zorgpaden gevonden (<naam>/<versie>.toml).",
            "no pathways found (<name>/<version>.toml).",
        )
        return [], [Finding((), nl, en, file=folder.name)]
    common, findings = _common(folder)
    sound: list[tuple[Path, PathwayFile]] = []
    shared: list[tuple[str, Finding]] = []  # what is wrong in a block, and for which pathway
    for path in paths:
        file, found = _read(path, common)
        findings += [finding for finding in found if finding.file == _label(path)]
        shared += [(path.parent.name, finding) for finding in found if finding.file != _label(path)]
        sound += [(path, file)] if file is not None and not found else []
    looser = _looser(sound)
    wrong = {finding.file for finding in looser}
    pathways = [compile_pathway(file) for path, file in sound if _label(path) not in wrong]
    return pathways, [*findings, *_once(shared), *looser]


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.glob("*/*.toml") if path.parent.name not in (REGION, COMMON))
    return sorted(found, key=lambda path: (path.parent.name, path.stem))


def _label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _common(folder: Path) -> tuple[dict[str, Common], list[Finding]]:
    """What pathways share, by version."""
    files: dict[str, Common] = {}
    findings: list[Finding] = []
    for path in sorted((folder / COMMON).glob("*.toml")):
        text = path.read_text("utf-8")
        file, found = read(text, CommonFile)
        if file is not None and file.version != path.stem:
            nl, en = f"het bestand heet ‘{path.stem}’.", f"the file is called '{path.stem}'."
            found.append(Finding(("version",), nl, en))
        findings += with_lines(found, _label(path), text)
        if file is not None:
            files[file.version] = Common(file, _label(path), text)
    return files, findings


def _read(path: Path, common: Mapping[str, Common]) -> tuple[PathwayFile | None, list[Finding]]:
    """The file with what it shares laid under it, and everything that is wrong in it."""
    label = _label(path)
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return None, [Finding((), "het bestand is geen UTF-8.", "the file is not UTF-8.", file=label)]
    own, findings = read(text, PathwayFile)
    if own is None:
        return None, with_lines(findings, label, text)
    wrong_shape = {finding.place for finding in findings}
    file, found = merge(own, {version: each.file for version, each in common.items()})
    findings += found
    names = [*_named_alike(file, path), *check_file(file)]
    findings += [finding for finding in names if not _below(finding.place, wrong_shape)]
    return file, with_lines(_in_common(findings, own, common.get(own.common)), label, text)


def _in_common(findings: list[Finding], own: PathwayFile, common: Common | None) -> list[Finding]:
    """What is wrong in a shared block is said at its own place."""
    if common is None or not findings:
        return findings
    came_from = origins(own, common.file)
    placed = []
    for finding in findings:
        place = finding.place
        longest = max((n for n in range(1, len(place) + 1) if place[:n] in came_from), default=0)
        if longest:
            there = msgspec.structs.replace(finding, place=(*came_from[place[:longest]], *place[longest:]))
            placed += with_lines([there], common.label, common.text)
        else:
            placed.append(finding)
    return placed


def _once(shared: list[tuple[str, Finding]]) -> list[Finding]:
    """A mistake in a shared block once, with the pathways in which it shows."""
    by_finding: dict[Finding, list[str]] = {}
    for name, finding in shared:
        by_finding.setdefault(finding, []).append(name)
    return [
        msgspec.structs.replace(
            finding,
            nl=f"{finding.nl} (bij {', '.join(dict.fromkeys(names))})",
            en=f"{finding.en} (in {', '.join(dict.fromkeys(names))})",
        )
        for finding, names in by_finding.items()
    ]


def _looser(sound: list[tuple[Path, PathwayFile]]) -> list[Finding]:
    """Each version beside the one before it."""
    findings: list[Finding] = []
    for _, group in groupby(sound, key=lambda pair: pair[0].parent.name):
        versions = sorted(group, key=lambda pair: age(pair[1].version))
        for (_, old), (path, new) in pairwise(versions):
            found = [*check_versions(old, new), *check_consent_versions(old, new)]
            findings += with_lines(found, _label(path), path.read_text("utf-8"))
    return findings


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


def _fingerprint(folder: Path) -> str:
    """A hash of every file below the folder, with its name, and of the program that checks them."""
    total = hashlib.sha256(_program().encode())
    for path in sorted(folder.glob("*/*.toml")):
        total.update(f"{_label(path)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


@cache
def _program() -> str:
    modules: Iterable[Path] = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in modules)).hexdigest()


def _kept(proven: Path, key: str) -> list[PathwayFile] | None:
    """The pathways, if this very content was proved before; what cannot be read proves nothing."""
    try:
        kept = msgspec.msgpack.decode(proven.read_bytes(), type=Proven)
    except (OSError, msgspec.DecodeError):
        return None
    return kept.files if kept.key == key else None


def _keep(proven: Path, kept: Proven) -> None:
    """Whole or not at all; where nothing can be written, the next start checks again."""
    part = proven.with_name(f"{proven.name}.{os.getpid()}")
    with suppress(OSError):
        part.write_bytes(msgspec.msgpack.encode(kept))
        part.replace(proven)
