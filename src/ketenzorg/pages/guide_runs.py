"""What runs here, in the guide: the hand-over, the pathways, and what can be asked of each type."""

from collections.abc import Iterator
from typing import Any

from ketenzorg.pages.guide_sheets import Part, Sheet, link, table
from ketenzorg.pathway.handover import FACTS, HANDOVERS
from ketenzorg.pathway.loaded import Catalogue, Pathway

Json = dict[str, Any]


def hand_over() -> Sheet:
    """Who may change Task.status to what."""
    facts = {(row.before, row.after) for row in FACTS}
    rows = [
        (
            f"`{row.before}`",
            f"`{row.after}`",
            "yes" if "requester" in row.by else "of the patient" if (row.before, row.after) in facts else "",
            ("by event" if row.by_name else "yes") if "owner" in row.by else "",
        )
        for row in HANDOVERS
    ]
    lead = (
        "The Task between requester and owner is a machine of its own. Every other change is `409`, which names "
        "what is allowed now, and changes nothing. A pathway may leave rows out; `GET /fhir/Task/{id}/$next` says "
        "what its step allows."
    )
    part = table("Task.status", ("From", "To", "Requester", "Owner"), rows)
    return Sheet("Hand-over", lead, (part,))


def pathways(catalogue: Catalogue) -> Sheet:
    """How each is named and what it asks."""
    lead = (
        "Name the pathway in `ServiceRequest.instantiatesCanonical`, and answer its questions in a "
        "QuestionnaireResponse."
    )
    return Sheet("Pathways", lead, tuple(_pathway(catalogue.current(name)) for name in catalogue.names))


def searching(statement: Json) -> Sheet:
    """What can be done with each type, from the CapabilityStatement."""
    lead = "What runs, as `/fhir/metadata` says it for machines."
    return Sheet("Types, searches and operations", lead, tuple(map(_type, statement["rest"][0]["resource"])))


def _pathway(pathway: Pathway) -> Part:
    codings = [f"`{each.system}|{each.code}`" for each in pathway.file.service]
    about = f"`{pathway.url}` (version `{pathway.version}`)"
    about += f", or by code {', '.join(codings)}." if codings else "."
    adopted = "" if pathway.adopted else " Not adopted by a clinical owner."
    rows: list[tuple[str, ...]] = [
        (
            f"`{name}`",
            each.ask,
            " / ".join(each.codes.values()) or f"{each.type} {each.unit}".strip(),
            each.need,
        )
        for name, each in pathway.file.data.items()
    ]
    rows.append(("", link(f"/zorgpaden/{pathway.name}", "Steps, rules and norms, in Dutch"), "", ""))
    return table(pathway.title, ("linkId", "Question", "Answer", "Needed"), rows, about + adopted)


def _type(described: Json) -> Part:
    does = ", ".join(f"`{each['code']}`" for each in described["interaction"])
    rows = [*_parameters(described), *_operations(described)]
    return table(
        described["type"], ("Name", "Kind", ""), rows, f"{does}. {described.get('documentation', '')}"
    )


def _parameters(described: Json) -> Iterator[tuple[str, ...]]:
    for each in described.get("searchParam", ()):
        yield f"`{each['name']}`", f"{each['type']} parameter", each.get("documentation", "")
    if described.get("searchInclude"):
        yield "`_include`", "parameter", ", ".join(f"`{each}`" for each in described["searchInclude"])


def _operations(described: Json) -> Iterator[tuple[str, ...]]:
    for each in described.get("operation", ()):
        yield f"`${each['name']}`", "operation", f"`{each['definition']}`"
