"""The named answers of a referral, read from its resources: a questionnaire's items first, other places after.

An answer that is there but cannot be read as what was asked counts as no answer: it is asked for, never guessed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from ketenzorg.pathway.criteria import Code, Day, Quantity, Text, Value, YesNo
from ketenzorg.pathway.definition import DataElement
from ketenzorg.pathway.loaded import Pathway

Resource = Mapping[str, Any]

# http://snomed.info/sct 373066001 Yes, 373067005 No, 261665006 Unknown; v2-0136 and data-absent-reason beside them.
YES_NO_CODES: dict[str, Literal["ja", "nee", "onbekend"]] = {
    "ja": "ja", "nee": "nee", "onbekend": "onbekend", "Y": "ja", "N": "nee", "unknown": "onbekend",
    "asked-unknown": "onbekend", "373066001": "ja", "373067005": "nee", "261665006": "onbekend",
}  # fmt: skip


def read_answers(pathway: Pathway, resources: Iterable[Resource]) -> dict[str, Value]:
    """Answer by name; two different answers to one question are no answer."""
    resources = [each for each in resources if each.get("status") != "entered-in-error"]
    answers: dict[str, list[Resource]] = {}
    for each in resources:
        if _asks_for(pathway, each):
            _collect(each, answers)
    given: dict[str, Value] = {}
    for name, element in pathway.file.data.items():
        found = list(dict.fromkeys(_read(answers.get(name, ()), element)))
        found = found or list(dict.fromkeys(_from_places(element, resources)))
        if len(found) == 1:
            given[name] = found[0]
    return given


def _asks_for(pathway: Pathway, resource: Resource) -> bool:
    """Answers to this pathway's questionnaire, in any version, or to one that is not named."""
    if resource["resourceType"] != "QuestionnaireResponse":
        return False
    named: str = resource.get("questionnaire", pathway.questionnaire)
    return named.partition("|")[0] == pathway.questionnaire.partition("|")[0]


def _collect(node: Resource, answers: dict[str, list[Resource]]) -> None:
    """The answers below a questionnaire or an item, by linkId."""
    for item in node.get("item", ()):
        answers.setdefault(item["linkId"], []).extend(item.get("answer", ()))
        _collect(item, answers)


def _read(answers: Iterable[Resource], element: DataElement) -> Iterator[Value]:
    for answer in answers:
        value = _READERS[element.type](answer, element)
        if value is not None:
            yield value


def _yes_no(answer: Resource, _: DataElement) -> Value | None:
    if isinstance(answer.get("valueBoolean"), bool):
        return YesNo("ja" if answer["valueBoolean"] else "nee")
    said = answer.get("valueCoding", {}).get("code") or str(answer.get("valueString", "")).strip().lower()
    word = YES_NO_CODES.get(said)
    return YesNo(word) if word else None


def _quantity(answer: Resource, _: DataElement) -> Value | None:
    quantity = answer.get("valueQuantity")
    if quantity is None or "value" not in quantity:
        return None
    return Quantity(Decimal(str(quantity["value"])), quantity.get("code") or quantity.get("unit", ""))


def _code(answer: Resource, element: DataElement) -> Value | None:
    coding = answer.get("valueCoding") or {"code": answer.get("valueString")}
    return Code(coding["code"]) if coding.get("code") in element.codes else None


def _day(answer: Resource, _: DataElement) -> Value | None:
    return _as_day(answer.get("valueDate") or answer.get("valueDateTime") or "")


def _text(answer: Resource, _: DataElement) -> Value | None:
    words = answer.get("valueString") or answer.get("valueCoding", {}).get("display")
    return Text(words) if words else None


_READERS: dict[str, Callable[[Resource, DataElement], Value | None]] = {
    "ja-nee": _yes_no,
    "getal": _quantity,
    "code": _code,
    "datum": _day,
    "tekst": _text,
}


def _from_places(element: DataElement, resources: list[Resource]) -> Iterator[Value]:
    for place in element.places:
        kind = place.partition(".")[0]
        for resource in resources:
            if resource["resourceType"] == kind:
                value = _PLACES[place](resource, element)
                if value is not None:
                    yield value


def _consent(consent: Resource, element: DataElement) -> Value | None:
    """A Consent that is active and permits is a yes; its scope is the code of its provision."""
    provision = consent.get("provision", {})
    if element.type == "ja-nee":
        granted = consent.get("status") == "active" and provision.get("type") == "permit"
        return YesNo("ja" if granted else "nee")
    codings = (coding for concept in provision.get("code", ()) for coding in concept.get("coding", ()))
    return next((Code(coding["code"]) for coding in codings if coding.get("code") in element.codes), None)


def _consent_day(consent: Resource, _: DataElement) -> Value | None:
    return _as_day(consent.get("dateTime", ""))


def _telecom(patient: Resource, _: DataElement) -> Value | None:
    kinds = [each.get("system", "") for each in patient.get("telecom", ()) if each.get("value")]
    return Text(" ".join(kinds) or "telecom") if kinds else None


def _language(patient: Resource, _: DataElement) -> Value | None:
    for communication in patient.get("communication", ()):
        language = communication.get("language", {})
        for coding in language.get("coding", ()):
            if coding.get("code"):
                return Text(coding["code"])
        if language.get("text"):
            return Text(language["text"])
    return None


_PLACES: dict[str, Callable[[Resource, DataElement], Value | None]] = {
    "Consent.provision": _consent,
    "Consent.dateTime": _consent_day,
    "Patient.telecom": _telecom,
    "Patient.communication": _language,
}


def _as_day(text: str) -> Value | None:
    try:
        return Day(date.fromisoformat(text[:10]))
    except ValueError:
        return None
