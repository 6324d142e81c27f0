"""A pathway as FHIR PlanDefinition: draft and experimental until a clinical owner has adopted it.

https://hl7.org/fhir/R4/plandefinition.html
"""

import re
from typing import Any

from ketenzorg.pathway.definition import CANONICAL, Norm, Rule, Source, Watch
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.running import Running, norms_running

_ADDRESS = re.compile(r"https?://[^\s,;]+")


def plan_definition(pathway: Pathway) -> dict[str, Any]:
    """The resource, with an action for each alarm rule and for each step that does not lie over another."""
    file = pathway.file
    running = norms_running(file, pathway.steps)
    steps = [step for step in pathway.steps.values() if not step.side]
    resource: dict[str, Any] = {
        "resourceType": "PlanDefinition",
        "id": f"{pathway.name}-{pathway.version}",
        "url": pathway.url,
        "version": pathway.version,
        "name": "".join(word.capitalize() for word in pathway.name.split("-")),
        "title": pathway.title,
        "type": _coded("http://terminology.hl7.org/CodeSystem/plan-definition-type", "workflow-definition"),
        "status": "active" if pathway.adopted else "draft",
        "experimental": not pathway.adopted,
        "publisher": file.owner,
        "description": _description(pathway),
        "purpose": file.purpose,
        "topic": [
            {"coding": [{"system": coding.system, "code": coding.code, "display": coding.display}]}
            for coding in file.service
        ],
        "relatedArtifact": [_artifact(text) for text in file.sources.values()],
        "action": [
            *(_alarm(rule, pathway) for rule in file.alarm),
            *(_action(step, steps, running, pathway) for step in steps),
        ],
    }
    if file.adopted_on:
        resource["approvalDate"] = file.adopted_on.isoformat()
    return resource


def slug(name: str) -> str:
    """A step's name as a FHIR id."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")[:64]


def _description(pathway: Pathway) -> str:
    file = pathway.file
    lines = [] if pathway.adopted else ["**Niet vastgesteld door een zorginhoudelijk eigenaar.**", ""]
    for heading, criteria in (("Voor", file.include), ("Niet voor", file.exclude)):
        lines += [f"- {heading}: {criterion.say} ({cite(criterion.source)})" for criterion in criteria]
    lines += [f"- Nog open: {item.ask} Nu: {item.default}." for item in file.open]
    return "\n".join(lines)


def _alarm(rule: Rule, pathway: Pathway) -> dict[str, Any]:
    return {
        "id": f"alarm-{slug(rule.name)}",
        "prefix": "Alarm",
        "title": rule.name,
        "description": " ".join(pathway.file.data[name].ask for name in rule.unless),
        "textEquivalent": rule.say,
        "priority": "stat",
        "documentation": _documentation(rule.source, pathway),
    }


def _action(step: Step, steps: list[Step], running: dict[str, Running], pathway: Pathway) -> dict[str, Any]:
    norms = [norm for norm in pathway.file.norm if norm.name in running[step.name].may]
    controls = [watch for watch in pathway.file.watch if watch.name in running[step.name].may]
    before = [other for other in steps if other is not step and any(m.to == step.name for m in other.moves)]
    into = dict.fromkeys(move.event for other in before for move in other.moves if move.to == step.name)
    if step.name == pathway.file.begins:
        into = {pathway.file.begins_with: None} | into
    action: dict[str, Any] = {
        "id": slug(step.name),
        "title": step.title,
        "code": [_coded(f"{CANONICAL}/CodeSystem/{pathway.name}-step", step.name)],
        "trigger": [{"type": "named-event", "name": event} for event in into],
        "relatedAction": [
            {"actionId": slug(other.name), "relationship": "after"} for other in before if not other.ends
        ],
        "participant": [
            {"type": "practitioner", "role": {"text": pathway.file.roles[step.owner].title}},
        ],
    }
    if (norms or controls) and not step.ends:
        sources = [*(norm.source for norm in norms), *(watch.source for watch in controls)]
        action["description"] = "; ".join([*map(_norm, norms), *map(_control, controls)])
        action["documentation"] = [entry for source in sources for entry in _documentation(source, pathway)]
    return {key: value for key, value in action.items() if value}


def _norm(norm: Norm) -> str:
    start = f"{norm.name}: binnen {norm.max} na {' of '.join(norm.from_)}"
    return f"{start}{share_of_all(norm)} ({cite(norm.source)}){_then(norm)}"


def _control(watch: Watch) -> str:
    start = f"{watch.name}: telkens {watch.every} na {' of '.join((*watch.from_, *watch.to))}"
    unknown = f"; niet bekend: {watch.if_unknown}" if watch.if_unknown else ""
    return f"{start}{unknown} ({cite(watch.source)}){_then(watch)}"


def _then(rule: Norm | Watch) -> str:
    found = who_hears(rule)
    return f", {found}" if found else ""


def who_hears(rule: Norm | Watch) -> str:
    """Who hears of it when it runs out, beside whose turn it is, as shown to people; empty when nobody does."""
    parts = [
        f"herinnering {rule.remind.before} ervoor ({cite(rule.remind.source)})" if rule.remind else "",
        f"te laat: bericht aan {' en '.join(rule.tell)}" if rule.tell else "",
        *(
            f"{later.after} later: bericht aan {' en '.join(later.tell)} ({cite(later.source)})"
            for later in rule.then
        ),
    ]
    return ", ".join(filter(None, parts))


def share_of_all(norm: Norm) -> str:
    """What part must be in time earlier, as shown to people behind the maximum; empty when there is none."""
    share = norm.share
    return f"; {share.percent}% binnen {share.within}" if share else ""


def cite(source: Source) -> str:
    """A source and its status, as shown to people."""
    return ", ".join(part for part in (source.key, STATUS_NL[source.status], source.note) if part)


STATUS_NL = {
    "national": "landelijke bron",
    "own region": "eigen regio",
    "other region": "andere regio",
    "general knowledge": "algemene kennis, te bevestigen",
    "proposal": "voorstel",
}


def _documentation(source: Source, pathway: Pathway) -> list[dict[str, Any]]:
    if source.key:
        return [_artifact(pathway.file.sources[source.key], label=cite(source))]
    return [{"type": "documentation", "label": cite(source), "display": cite(source)}]


def _artifact(text: str, label: str = "") -> dict[str, Any]:
    artifact = {"type": "citation", "citation": text}
    address = _ADDRESS.search(text)
    if address:
        artifact["url"] = address[0]
    return artifact | ({"label": label} if label else {})


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
