"""What changed between the Task that a party saw and the one that it wrote."""

from collections.abc import Iterable
from typing import Any

import msgspec

from ketenzorg.access.views import is_cut
from ketenzorg.errors import Invalid, Issue
from ketenzorg.fhir.modifiers import unknown_modifiers
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.visibility import Visibility
from ketenzorg.referral.codes import BASE
from ketenzorg.referral.coordination_task import is_selected

WRITTEN_BY_US = frozenset({"meta", "text", "lastModified", "id"})
GROWS = ("output", "note")  # what was said stays said: more may follow
STEERS = frozenset({"status", "businessStatus", "statusReason"})


class Change(msgspec.Struct, frozen=True):
    """The parts of a change; None where nothing changed."""

    status: str | None
    step: str | None  # the step that a changed businessStatus names
    reason_codes: tuple[str, ...]
    added: dict[str, list[Any]]
    selected: bool = False  # businessStatus says that this candidate is chosen

    def answers(self, pathway: Pathway, wanted: Iterable[str]) -> tuple[dict[str, str], dict[str, list[Any]]]:
        """The answers that an event wants, out of the reason and the new outputs; and what is left of those."""
        given: dict[str, str] = {}
        outputs = list(self.added.get("output", ()))
        for name in wanted:
            need = pathway.file.needs[name]
            if need.goes_to == "reden":
                given.update((name, code) for code in self.reason_codes if code in need.codes)
                continue
            for output in outputs:
                if name in _codes(output.get("type", {})) and "valueString" in output:
                    given[name] = output["valueString"]
                    outputs.remove(output)
                    break
        rest = {"output": outputs, "note": self.added.get("note", [])}
        return given, {key: values for key, values in rest.items() if values}


def refuse_cut(before: dict[str, Any], after: dict[str, Any], sight: Visibility) -> None:
    """Raise Invalid for a whole Task from who does not see all of it, or out of an answer that said so."""
    if sight.shows_whole("Task") and not is_cut(before) and not is_cut(after):
        return
    raise Invalid(
        Issue(
            nl="U ziet niet alles van deze Task (SUBSETTED), en kunt hem dus niet in zijn geheel terugschrijven: wat u "
            "niet ziet, zou eruit zijn. Meld het met $event, of stuur met PATCH wat er verandert.",
            en="You do not see all of this Task (SUBSETTED), so it cannot be written back as a whole: what you do not "
            "see would be gone from it. Say it by Task/{id}/$event, or send what changes by PATCH.",
            expression=("Task.meta.tag",),
            code="business-rule",
            kind="cut",
        ),
    )


def changes(before: dict[str, Any], after: dict[str, Any], sight: Visibility) -> Change | None:
    """None when nothing changed. Raises Invalid naming every element that cannot be changed by writing it."""
    added, issues = _added(before, after)
    issues += [_unseen(element) for element in added if not sight.shows_element("Task", element)]
    for element in sorted(before.keys() | after.keys()):
        if element in STEERS or element in GROWS or element in WRITTEN_BY_US:
            continue
        if before.get(element) != after.get(element):
            issues.append(_fixed(element))
    if issues:
        raise Invalid(*issues)
    status = after.get("status") if after.get("status") != before.get("status") else None
    step = _step(after.get("businessStatus"))
    step = step if step != _step(before.get("businessStatus")) else None
    selected = is_selected(after.get("businessStatus", {})) and not is_selected(
        before.get("businessStatus", {})
    )
    if status is None and step is None and not added and not selected:
        return None
    return Change(status, step, tuple(_codes(after.get("statusReason", {}))), added, selected)


def _added(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, list[Any]], list[Issue]]:
    added: dict[str, list[Any]] = {}
    issues = []
    for element in GROWS:
        old, new = before.get(element, []), after.get(element, [])
        if new[: len(old)] != old:
            issues.append(
                Issue(
                    nl=f"In Task.{element} blijft staan wat er staat; zet het nieuwe erachter.",
                    en=f"What stands in Task.{element} stays; append the new.",
                    expression=(f"Task.{element}",),
                ),
            )
        elif len(new) > len(old):
            added[element] = new[len(old) :]
            issues += unknown_modifiers(added[element], f"Task.{element}")
    return added, issues


def _fixed(element: str) -> Issue:
    return Issue(
        nl=f"Task.{element} ligt vast. Te wijzigen zijn status, businessStatus en statusReason; aan te vullen zijn "
        "output en note.",
        en=f"Task.{element} is fixed. status, businessStatus and statusReason can change; output and note can grow.",
        expression=(f"Task.{element}",),
    )


def _unseen(element: str) -> Issue:
    return Issue(
        nl=f"Task.{element} is niet voor uw rol: wat u niet mag lezen, kunt u er ook niet in zetten.",
        en=f"Task.{element} is not for your role: what you may not read, you cannot add to either.",
        expression=(f"Task.{element}",),
        code="forbidden",
    )


def _codes(concept: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in concept.get("coding", ()) if "code" in coding]


def _step(concept: dict[str, Any] | None) -> str | None:
    for coding in (concept or {}).get("coding", ()):
        if coding.get("system", "").startswith(f"{BASE}/CodeSystem/") and "code" in coding:
            return str(coding["code"])
    return None
