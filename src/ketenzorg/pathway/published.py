"""What we publish of ourselves: the files of fhir_profiles/, and the codes and plans of the pathways that run.

https://hl7.org/fhir/R4/conformance-module.html. Everything here may be read by anybody: no person stands in it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ketenzorg.fhir import catalogue as mistakes
from ketenzorg.fhir import json
from ketenzorg.pathway.definition import CANONICAL
from ketenzorg.pathway.loaded import REASON_SYSTEM, Catalogue, Pathway
from ketenzorg.pathway.plan_definition import plan_definition

STEPS = f"{CANONICAL}/ValueSet/step"
SERVICES = f"{CANONICAL}/ValueSet/referral-code"
PLANS = f"{CANONICAL}/ValueSet/referral-pathway"
URI = "urn:ietf:rfc:3986"
DATE = "2026-12-01"

Resource = dict[str, Any]


def published(folder: Path, catalogue: Catalogue) -> list[Resource]:
    """Every definition of ours, by type and id."""
    found = [*_files(folder, catalogue), mistakes.code_system(), *_of_pathways(catalogue)]
    return sorted(found, key=lambda each: (each["resourceType"], each["id"]))


def _files(folder: Path, catalogue: Catalogue) -> Iterator[Resource]:
    for path in sorted(folder.glob("*.json")):
        resource = json.read(path.read_bytes())
        if resource["url"] == REASON_SYSTEM:  # the files of the pathways have the codes
            resource |= {"content": "complete", "concept": list(_reasons(resource["concept"], catalogue))}
        yield resource


def _reasons(own: Iterable[Resource], catalogue: Catalogue) -> Iterator[Resource]:
    texts = {each["code"]: each["display"] for each in own}
    for pathway in catalogue.versions():
        texts |= pathway.file.codes
    for code, text in sorted(texts.items()):
        yield {"code": code, "display": text}


def _of_pathways(catalogue: Catalogue) -> Iterator[Resource]:
    current = [catalogue.current(name) for name in catalogue.names]
    yield from (plan_definition(pathway) for pathway in catalogue.versions())
    yield from (_steps(name, catalogue) for name in catalogue.names)
    systems = [{"system": _step_system(name)} for name in catalogue.names]
    yield _value_set("step", "Stappen van de zorgpaden", "Every step of every pathway.", systems)
    codings = [
        {"system": coding.system, "concept": [{"code": coding.code, "display": coding.display}]}
        for pathway in current
        for coding in pathway.file.service
    ]
    about = "What ServiceRequest.code may ask for: it chooses the pathway where no canonical does."
    yield _value_set("referral-code", "Wat een verwijzing kan vragen", about, codings)
    about = "What ServiceRequest.instantiatesCanonical may name first: a pathway, or one version of it."
    plans = [{"code": code} for code in _canonicals(catalogue)]
    yield _value_set("referral-pathway", "Zorgpaden", about, [{"system": URI, "concept": plans}])


def _canonicals(catalogue: Catalogue) -> Iterator[str]:
    yield from (catalogue.current(name).url for name in catalogue.names)
    yield from (pathway.canonical for pathway in catalogue.versions())


def _steps(name: str, catalogue: Catalogue) -> Resource:
    """The steps of every version: a traject keeps the version that it began with."""
    versions: Iterable[Pathway] = (each for each in catalogue.versions() if each.name == name)
    titles = {step.name: step.title for pathway in versions for step in pathway.steps.values()}
    current = catalogue.current(name)
    return {
        **_head("CodeSystem", f"{name}-step", f"Stappen van {current.title}"),
        "version": current.version,
        "description": "The steps of the pathway, for Task.businessStatus and CarePlan.",
        "caseSensitive": True,
        "content": "complete",
        "concept": [{"code": code, "display": title} for code, title in titles.items()],
    }


def _step_system(name: str) -> str:
    return f"{CANONICAL}/CodeSystem/{name}-step"


def _value_set(id_: str, title: str, description: str, include: list[Resource]) -> Resource:
    return {
        **_head("ValueSet", id_, title),
        "description": description,
        "compose": {"include": include},
    }


def _head(kind: str, id_: str, title: str) -> Resource:
    return {
        "resourceType": kind,
        "id": id_,
        "url": f"{CANONICAL}/{kind}/{id_}",
        "version": "0.1.0",
        "name": "".join(part.capitalize() for part in id_.split("-")),
        "title": title,
        "status": "draft",
        "experimental": True,
        "date": DATE,
        "publisher": "ketenzorg",
    }
