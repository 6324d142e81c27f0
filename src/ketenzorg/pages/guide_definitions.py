"""Profiles and codes in the guide, from the definitions that we publish and the examples beside them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ketenzorg.errors import Issue, NotFound
from ketenzorg.pages.guide_sheets import Code, Part, Sheet, link, table
from ketenzorg.pages.mistakes import Answered, load_broken

Json = dict[str, Any]
FIXED = ("fixed", "pattern")


def profiles(published: list[Json]) -> Sheet:
    """Every profile and extension of ours."""
    rows = [
        (link(f"/guide/profile/{each['id']}", each["id"]), f"`{each['type']}`", each.get("description", ""))
        for each in _kind(published, "StructureDefinition")
    ]
    lead = "What we ask of each resource beside R4, with a valid example, and one that breaks each rule."
    return Sheet("Profiles", lead, (table("All profiles", ("Profile", "On", "What it is"), rows),))


def profile(id_: str, published: list[Json], folder: Path) -> Sheet:
    """One of them, with its elements and examples. Raises NotFound."""
    found = next((each for each in _kind(published, "StructureDefinition") if each["id"] == id_), None)
    if found is None:
        raise NotFound(Issue(nl="Dit profiel is er niet.", en="No such profile."))
    elements = found["differential"]["element"]
    answers = load_broken(folder)
    examples = folder / "examples"
    parts = [
        table("Elements", ("Element", "How often", "What it holds", "Meaning"), map(_element, elements)),
        table("Rules", ("Rule", "What it says", "FHIRPath"), _rules(elements)),
        *_valid(examples / "valid" / f"{id_}.json"),
        *(
            _broken(path, answers[path.stem], id_)
            for path in sorted((examples / "broken").glob(f"{id_}-*.json"))
        ),
    ]
    lead = f"{found.get('description', found.get('title', ''))} Canonical: `{found['url']}`, on `{found['type']}`."
    return Sheet(
        id_, lead, tuple(part for part in parts if part.rows or part.code), ("/guide/profiles", "Profiles")
    )


def codes(published: list[Json]) -> Sheet:
    """Every code system, with its codes, and what the value sets take of them."""
    parts = [
        table(
            each["id"],
            ("Code", "Meaning", ""),
            (
                (f"`{c['code']}`", c.get("display", ""), c.get("definition", ""))
                for c in each.get("concept", ())
            ),
            f"`{each['url']}`. {each.get('description', '')}",
        )
        for each in _kind(published, "CodeSystem")
    ]
    sets = [
        (each["id"], f"`{each['url']}`", each.get("description", "")) for each in _kind(published, "ValueSet")
    ]
    parts.append(table("Value sets", ("Set", "Canonical", "What it is"), sets))
    return Sheet(
        "Codes", "The code systems that are ours. FHIR clients find them at `/fhir/CodeSystem`.", tuple(parts)
    )


def _kind(published: list[Json], kind: str) -> list[Json]:
    return [each for each in published if each["resourceType"] == kind]


def _element(element: Json) -> tuple[str, ...]:
    least, most = element.get("min", 0 if "max" in element else ""), element.get("max", "")
    return (
        f"`{element['id']}`",
        f"{least}..{most}" if least != "" else "",
        "; ".join(_holds(element)),
        element.get("short") or element.get("definition", ""),
    )


def _holds(element: Json) -> Iterator[str]:
    for name, value in element.items():
        if name.startswith(FIXED):
            yield f"`{json.dumps(value, ensure_ascii=False)}`"
    for each in element.get("type", ()):
        targets = [target.rpartition("/")[2] for target in each.get("targetProfile", each.get("profile", ()))]
        yield f"`{each['code']}`" + (f" to {', '.join(targets)}" if targets else "")
    binding = element.get("binding")
    if binding:
        yield f"{binding['strength']}: `{binding['valueSet']}`"


def _rules(elements: list[Json]) -> Iterator[tuple[str, ...]]:
    for element in elements:
        for each in element.get("constraint", ()):
            yield f"`{each['key']}`", each["human"], f"`{each['expression']}`"


def _valid(path: Path) -> Iterator[Part]:
    if path.exists():
        yield Part("A valid example", code=(Code(path.name, _pretty(path)),))


def _broken(path: Path, answer: Answered, profile: str) -> Part:
    rows = [(f"`{said.kind}`", ", ".join(f"`{at}`" for at in said.expression), said.diagnostics)
            for said in answer.issues if said.severity == "error"]  # fmt: skip
    return Part(
        f"Broken: {path.stem.removeprefix(f'{profile}-')}",
        "What the server answers to `$validate`:",
        ("Code", "Where", "What"),
        tuple(rows),
        (Code(path.name, _pretty(path)),),
    )


def _pretty(path: Path) -> str:
    return json.dumps(json.loads(path.read_text("utf-8")), indent=1, ensure_ascii=False)
