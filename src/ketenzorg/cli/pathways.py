"""`ketenzorg pathway check` and `show`."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import typer

from ketenzorg.pathway.findings import Finding, PathwayErrors, path, report
from ketenzorg.pathway.load import load, survey
from ketenzorg.pathway.loaded import Catalogue
from ketenzorg.pathway.region import load_region
from ketenzorg.pathway.show import mermaid as diagram
from ketenzorg.pathway.show import show as readable
from ketenzorg.settings import Settings


def check(environ: Mapping[str, str], folder: Path | None, *, as_json: bool) -> int:
    """Print every finding of the pathways and, when these are clean, of the region; 1 when there is one."""
    settings = Settings.from_environ(environ)
    folder = folder or settings.pathways
    pathways, findings = survey(folder)
    if not findings:
        findings = _of_region(folder, settings.region, Catalogue(pathways))
    if as_json:
        typer.echo(msgspec.json.encode([_as_json(finding) for finding in findings]).decode())
        return 1 if findings else 0
    if findings:
        typer.echo(report(findings))
    names = ", ".join(f"{pathway.name} {pathway.version}" for pathway in pathways)
    typer.echo(f"{len(findings)} bevindingen." if findings else f"In orde: {names}; regio {settings.region}.")
    return 1 if findings else 0


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "file": finding.file,
        "line": finding.line or None,
        "place": path(finding.place),
        "nl": finding.nl,
        "en": finding.en,
    }


def show(environ: Mapping[str, str], name: str, *, mermaid: bool) -> int:
    """Print a pathway; 1 with the names that there are when this one is not there."""
    catalogue = load(Settings.from_environ(environ).pathways)
    if name not in catalogue.names:
        typer.echo(f"Dit zorgpad is er niet; wel: {', '.join(catalogue.names)}.", err=True)
        return 1
    pathway = catalogue.current(name)
    typer.echo(diagram(pathway) if mermaid else readable(pathway))
    return 0


def _of_region(folder: Path, region: str, catalogue: Catalogue) -> list[Finding]:
    try:
        load_region(folder, region, catalogue)
    except PathwayErrors as errors:
        return list(errors.findings)
    return []
