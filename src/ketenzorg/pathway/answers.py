"""The named answers of a referral, read from its resources: a questionnaire's items first, other places after.

An answer that is there but cannot be read as what was asked counts as no answer: it is asked for, never guessed.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec

from ketenzorg.fhir.privacy import is_about_privacy
from ketenzorg.pathway import units
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Text, Value, YesNo
from ketenzorg.pathway.definition import DataElement
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.systems import canonical, codings

Resource = Mapping[str, Any]

Answer = tuple[Resource, str]  # of a questionnaire, and the day on which it was filled in
_T = TypeVar("_T")

# http://snomed.info/sct 373066001 Yes, 373067005 No, 261665006 Unknown; v2-0136 and data-absent-reason beside them.
_YES, _NO, _UNKNOWN = YesNo("ja"), YesNo("nee"), YesNo("onbekend")
YES_NO_CODES = {
    "ja": _YES, "nee": _NO, "onbekend": _UNKNOWN, "Y": _YES, "N": _NO, "unknown": _UNKNOWN,
    "asked-unknown": _UNKNOWN, "373066001": _YES, "373067005": _NO, "261665006": _UNKNOWN,
}  # fmt: skip


class Ways(msgspec.Struct, frozen=True):
    """How the questions of one version can be answered, looked up by what comes in."""

    questions: dict[str, DataElement]
    measured: frozenset[str]  # those that a number answers
    by_code: dict[units.Code, tuple[str, ...]]  # of an Observation
    by_unit: dict[str, tuple[str, ...]]  # where the unit alone says what was measured, whatever the code
    by_condition: dict[units.Code, tuple[str, ...]]  # of what the patient has or takes: that is a yes
    by_place: tuple[tuple[str, str], ...]  # the question, and the element of a resource


@cache
def _ways(pathway: Pathway) -> Ways:
    data = pathway.file.data
    coded = {
        name: [one for each in element.coded_as for one in codings(each)] for name, element in data.items()
    }
    measures = {name: units.MEASURES[data[name].measure] for name in data if data[name].type == "getal"}
    named = {name: measure for name, measure in measures.items() if coded[name]}
    return Ways(
        questions=data,
        measured=frozenset(measures),
        # the codes of the file, and those of the same measure in its other units (mass beside molar)
        by_code=_turned({name: {*coded[name], *measure.codes} for name, measure in named.items()}),
        by_unit=_turned({name: measure.telling for name, measure in named.items()}),
        by_condition=_turned({name: coded[name] for name in data if data[name].type == "ja-nee"}),
        by_place=tuple((name, place) for name in data if name not in measures for place in data[name].places),
    )


def _turned(names: Mapping[str, Iterable[_T]]) -> dict[_T, tuple[str, ...]]:
    """From a name to its keys, to each key with its names."""
    found: dict[_T, tuple[str, ...]] = {}
    for name, keys in names.items():
        for key in keys:
            found[key] = (*found.get(key, ()), name)
    return found


def read_answers(pathway: Pathway, resources: Iterable[Resource]) -> dict[str, Value]:
    """Answer by name; two different answers to one question are no answer."""
    ways = _ways(pathway)
    by_kind: dict[str, list[Resource]] = {}
    for each in resources:
        if each.get("status") != "entered-in-error":
            by_kind.setdefault(each["resourceType"], []).append(each)
    answers: dict[str, list[Answer]] = {}
    for each in by_kind.get("QuestionnaireResponse", ()):
        if asks_for(pathway, each):
            collect(each, answers, "")
    readings: dict[str, list[Quantity]] = {}
    found: dict[str, list[Value]] = {}
    for name, said in answers.items():
        element = ways.questions.get(name)
        if element is None:
            continue
        read = READERS[element.type]
        values: list[Value] = []
        for one in said:
            value = read(one, element)
            if value is not None:
                values.append(value)
        if name in ways.measured:
            readings[name] = [value for value in values if isinstance(value, Quantity)]
        elif values:
            found[name] = values
    for each in by_kind.get("Observation", ()):
        if each.get("status") != "cancelled":
            _observe(each, ways, readings)
    _from_places(ways, by_kind, found)
    _from_codes(ways, by_kind, found)
    given = {name: values[0] for name, values in found.items() if len(values) == 1 or _agree(values)}
    return given | {name: _together(all_of_them) for name, all_of_them in readings.items() if all_of_them}


def _agree(values: list[Value]) -> bool:
    return all(value == values[0] for value in values)


def _together(readings: list[Quantity]) -> Value:
    """Every reading, with its code, its date and where it stood: which of them count is decided by the rules."""
    return readings[0] if len(readings) == 1 else Readings(tuple(readings))


def _observe(observation: Resource, ways: Ways, readings: dict[str, list[Quantity]]) -> None:
    """The value of an Observation, and of its components (a blood pressure has two)."""
    at = observation.get("effectiveDateTime") or observation.get("effectiveInstant") or ""
    place = f"Observation/{observation.get('id', '')}"
    for part in (observation, *observation.get("component", ())):
        quantity = part.get("valueQuantity")
        if quantity is None or "value" not in quantity:
            continue
        unit = quantity.get("code") or quantity.get("unit", "")
        for name, code in _meant(part, unit, ways).items():
            number = Decimal(str(quantity["value"]))
            readings.setdefault(name, []).append(Quantity(number, unit, at, code, place))


def _meant(part: Resource, unit: str, ways: Ways) -> dict[str, units.Code]:
    """The questions that it answers, each with the code that says so.

    Under no code that we know, the unit may still say what was measured: such a value goes along to be refused by
    name, for whoever sent it thinks that we have it.
    """
    codes = [
        (each.get("system", ""), each.get("code", "")) for each in part.get("code", {}).get("coding", ())
    ]
    meant: dict[str, units.Code] = {}
    for code in codes:
        for name in ways.by_code.get(code, ()):
            meant.setdefault(name, (canonical(code[0]), code[1]))
    if not meant:
        meant = dict.fromkeys(ways.by_unit.get(unit, ()), codes[0] if codes else units.NO_CODE)
    return meant


_CODED = {
    "Condition": "code",
    "MedicationStatement": "medicationCodeableConcept",
    "FamilyMemberHistory": "condition",
}


def _from_codes(ways: Ways, by_kind: Mapping[str, list[Resource]], found: dict[str, list[Value]]) -> None:
    """An active condition or medicine under one of the codes is a yes; that none is there is no answer."""
    for kind, field in _CODED.items() if ways.by_condition else ():
        for resource in by_kind.get(kind, ()):
            if not _holds_now(resource):
                continue
            concepts = resource.get(field, {})
            for concept in (
                [each.get("code", {}) for each in concepts] if isinstance(concepts, list) else [concepts]
            ):
                for one in concept.get("coding", ()):
                    for name in ways.by_condition.get((one.get("system", ""), one.get("code", "")), ()):
                        found.setdefault(name, [_YES])


def _holds_now(resource: Resource) -> bool:
    """A condition that is over or was refuted, and a medicine that was stopped, do not count."""
    codes = {
        coding.get("code")
        for field in ("clinicalStatus", "verificationStatus")
        for coding in resource.get(field, {}).get("coding", ())
    }
    over = {"inactive", "remission", "resolved", "refuted", "entered-in-error"}
    return not codes & over and resource.get("status") not in ("stopped", "not-taken", "completed")


def asks_for(pathway: Pathway, resource: Resource) -> bool:
    """Answers to this pathway's questionnaire, in any version, or to one that is not named."""
    if resource["resourceType"] != "QuestionnaireResponse":
        return False
    named: str = resource.get("questionnaire", pathway.questionnaire)
    return named.partition("|")[0] == pathway.questionnaire.partition("|")[0]


def collect(node: Resource, answers: dict[str, list[Answer]], authored: str) -> None:
    """The answers below a questionnaire or an item, by linkId, each with the day on which it was given."""
    authored = node.get("authored", authored)
    for item in node.get("item", ()):
        given = item.get("answer")
        if given:
            answers.setdefault(item["linkId"], []).extend([(answer, authored) for answer in given])
        if "item" in item:
            collect(item, answers, authored)


def _yes_no(said: Answer, _: DataElement) -> Value | None:
    answer = said[0]
    if isinstance(answer.get("valueBoolean"), bool):
        return _YES if answer["valueBoolean"] else _NO
    word = answer.get("valueCoding", {}).get("code") or str(answer.get("valueString", "")).strip().lower()
    return YES_NO_CODES.get(word)


def _quantity(said: Answer, _: DataElement) -> Value | None:
    answer, authored = said
    quantity = answer.get("valueQuantity")
    if quantity is None or "value" not in quantity:
        return None
    return Quantity(
        Decimal(str(quantity["value"])), quantity.get("code") or quantity.get("unit", ""), authored
    )


def _code(said: Answer, element: DataElement) -> Value | None:
    coding = said[0].get("valueCoding") or {"code": said[0].get("valueString")}
    return Code(coding["code"]) if coding.get("code") in element.codes else None


def _day(said: Answer, _: DataElement) -> Value | None:
    return _as_day(said[0].get("valueDate") or said[0].get("valueDateTime") or "")


def _text(said: Answer, _: DataElement) -> Value | None:
    words = said[0].get("valueString") or said[0].get("valueCoding", {}).get("display")
    return Text(words) if words else None


READERS: dict[str, Callable[[Answer, DataElement], Value | None]] = {
    "ja-nee": _yes_no,
    "getal": _quantity,
    "code": _code,
    "datum": _day,
    "tekst": _text,
}


def _from_places(ways: Ways, by_kind: Mapping[str, list[Resource]], found: dict[str, list[Value]]) -> None:
    """What was not said in so many words may stand elsewhere."""
    placed: dict[str, list[Value]] = {}
    for name, place in ways.by_place:
        if name in found:
            continue
        for resource in by_kind.get(place.partition(".")[0], ()):
            value = _PLACES[place](resource, ways.questions[name])
            if value is not None:
                placed.setdefault(name, []).append(value)
    found |= placed


def _consent(consent: Resource, element: DataElement) -> Value | None:
    """A Consent about privacy that is active and permits is a yes; its scope is the code of its provision."""
    if not is_about_privacy(consent):
        return None
    provision = consent.get("provision", {})
    if element.type == "ja-nee":
        granted = consent.get("status") == "active" and provision.get("type") == "permit"
        return _YES if granted else _NO
    codings = (coding for concept in provision.get("code", ()) for coding in concept.get("coding", ()))
    return next((Code(coding["code"]) for coding in codings if coding.get("code") in element.codes), None)


def _consent_day(consent: Resource, _: DataElement) -> Value | None:
    return _as_day(consent.get("dateTime", "")) if is_about_privacy(consent) else None


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


def _birth(patient: Resource, _: DataElement) -> Value | None:
    return _as_day(patient.get("birthDate", ""))


def _gender(patient: Resource, element: DataElement) -> Value | None:
    word = {"male": "man", "female": "vrouw"}.get(patient.get("gender", ""), "")
    return Code(word) if word in element.codes else None


_PLACES: dict[str, Callable[[Resource, DataElement], Value | None]] = {
    "Consent.provision": _consent,
    "Consent.dateTime": _consent_day,
    "Patient.birthDate": _birth,
    "Patient.gender": _gender,
    "Patient.telecom": _telecom,
    "Patient.communication": _language,
}


def _as_day(text: str) -> Value | None:
    try:
        return Day(date.fromisoformat(text[:10]))
    except ValueError:
        return None
