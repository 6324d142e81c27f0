"""FHIRPath Patch does to a resource what the specification says, and says what is wrong with the rest.

The cases are those of HL7's own test suite (FHIR/fhir-test-cases, r4/patch/fhir-path-tests.xml), written anew.
"""

from typing import Any

import pytest

from ketenzorg.errors import Invalid, KetenzorgError, Malformed
from ketenzorg.fhir import json, r4
from ketenzorg.fhir.decode import decode_as
from ketenzorg.fhir.fhirpath_patch import read_fhirpath_patch
from patching import operation

BORN = {"birthDate": "1920-01-01"}
CONTACT = {"contact": [{"name": {"text": "a name"}, "gender": "male"}]}
MARRIED = {"maritalStatus": {"id": "1", "text": "married"}}
EXTENSION = {
    "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
    "valueDateTime": "1974-12-25T14:35:45-05:00",
}
EXTENDED = {"birthDate": "1974-12-25", "_birthDate": {"extension": [EXTENSION]}}


def patched(before: dict[str, Any], *operations: dict[str, Any], kind: str = "Patient") -> dict[str, Any]:
    sent: dict[str, Any] = {"resourceType": "Parameters"} | (
        {"parameter": list(operations)} if operations else {}
    )
    decode_as(json.write(sent), r4.Parameters)  # what is tested is what may come in
    after = read_fhirpath_patch(sent, kind)({"resourceType": kind, **before})
    assert after.pop("resourceType") == kind
    return after


def numbered(*values: int) -> dict[str, Any]:
    return {"identifier": [{"system": "http://example.org", "value": f"value {n}"} for n in values]}


def third() -> dict[str, Any]:
    return {"valueIdentifier": numbered(3)["identifier"][0]}


def move(source: int, destination: int) -> dict[str, Any]:
    return operation("move", "Patient.identifier", source=source, destination=destination)


CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]] = {
    "nothing": (BORN, [], BORN),
    "replace a primitive": (
        BORN, [operation("replace", "Patient.birthDate", {"valueDate": "1930-01-01"})], {"birthDate": "1930-01-01"},
    ),
    "delete a primitive": (BORN, [operation("delete", "Patient.birthDate")], {}),
    "delete what is not there": ({}, [operation("delete", "Patient.birthDate")], {}),
    "add a primitive": (
        {}, [operation("add", "Patient", {"valueDate": "1930-01-01"}, name="birthDate")], {"birthDate": "1930-01-01"},
    ),
    "replace a nested primitive": (
        CONTACT, [operation("replace", "Patient.contact[0].gender", {"valueCode": "female"})],
        {"contact": [{"name": {"text": "a name"}, "gender": "female"}]},
    ),
    "replace a primitive two deep": (
        CONTACT, [operation("replace", "Patient.contact[0].name.text", {"valueString": "the name"})],
        {"contact": [{"name": {"text": "the name"}, "gender": "male"}]},
    ),
    "delete a nested primitive": (
        CONTACT, [operation("delete", "Patient.contact[0].gender")], {"contact": [{"name": {"text": "a name"}}]},
    ),
    "delete the last of what holds it": (
        CONTACT, [operation("delete", "Patient.contact[0].name.text")], {"contact": [{"gender": "male"}]},
    ),
    "add a nested primitive": (
        {"contact": [{"name": {"text": "a name"}}]},
        [operation("add", "Patient.contact[0]", {"valueCode": "male"}, name="gender")], CONTACT,
    ),
    "add what has elements": (
        {}, [operation("add", "Patient", {"valueCodeableConcept": {"text": "married"}}, name="maritalStatus")],
        {"maritalStatus": {"text": "married"}},
    ),
    "replace what has elements, its id too": (
        MARRIED,
        [operation("replace", "Patient.maritalStatus", {"valueCodeableConcept": {"id": "2", "text": "not married"}})],
        {"maritalStatus": {"id": "2", "text": "not married"}},
    ),
    "delete what has elements": (MARRIED, [operation("delete", "Patient.maritalStatus")], {}),
    "add an element without a type of its own": (
        {},
        [
            operation(
                "add", "Patient", {"part": [{"name": "name", "valueHumanName": {"text": "a name"}}]}, name="contact"
            )
        ],
        {"contact": [{"name": {"text": "a name"}}]},
    ),
    "delete an element without a type of its own": (
        {"contact": [{"name": {"text": "a name"}}]}, [operation("delete", "Patient.contact[0]")], {},
    ),
    "contents of a list": (
        {"identifier": [{"id": "a", "value": "value 1"}, {"id": "b", "value": "value 2"}]},
        [
            operation("replace", "Patient.identifier[0].value", {"valueString": "value 2"}),
            operation("replace", "Patient.identifier[1].value", {"valueString": "value 1"}),
        ],
        {"identifier": [{"id": "a", "value": "value 2"}, {"id": "b", "value": "value 1"}]},
    ),
    "insert at the end": (
        numbered(1, 2), [operation("insert", "Patient.identifier", third(), index=2)], numbered(1, 2, 3),
    ),
    "insert in between": (
        numbered(1, 2), [operation("insert", "Patient.identifier", third(), index=1)], numbered(1, 3, 2),
    ),
    "insert at the beginning": (
        numbered(1, 2), [operation("insert", "Patient.identifier", third(), index=0)], numbered(3, 1, 2),
    ),
    "delete the first": (numbered(1, 2, 3), [operation("delete", "Patient.identifier[0]")], numbered(2, 3)),
    "delete one in between": (numbered(1, 2, 3), [operation("delete", "Patient.identifier[1]")], numbered(1, 3)),
    "delete the last": (numbered(1, 2, 3), [operation("delete", "Patient.identifier[2]")], numbered(1, 2)),
    "move back": (numbered(1, 2, 3, 4), [move(3, 1)], numbered(1, 4, 2, 3)),
    "move to the beginning": (numbered(1, 2, 3, 4), [move(3, 0)], numbered(4, 1, 2, 3)),
    "move by one": (numbered(1, 2, 3, 4), [move(3, 2)], numbered(1, 2, 4, 3)),
    "move to the end": (numbered(1, 2, 3, 4), [move(0, 3)], numbered(2, 3, 4, 1)),
    "move twice": (numbered(1, 2, 3, 4), [move(1, 0), move(2, 1)], numbered(2, 3, 1, 4)),
    "turn around": (numbered(1, 2, 3, 4), [move(3, 0), move(3, 1), move(3, 2)], numbered(4, 3, 2, 1)),
    "add the first of a list": (
        {}, [operation("add", "Patient", third(), name="identifier")], numbered(3),
    ),
    "what is not named stays, beside a primitive too": (
        {"name": [{"family": "Chalmers", "given": ["Peter"]}], **EXTENDED},
        [operation("replace", "Patient.name[0].family", {"valueString": "Chalmers1"})],
        {"name": [{"family": "Chalmers1", "given": ["Peter"]}], **EXTENDED},
    ),
    # Not in that suite.
    "a choice, by its name": (
        {"deceasedBoolean": False}, [operation("replace", "Patient.deceased", {"valueDateTime": "2026-01-01"})],
        {"deceasedDateTime": "2026-01-01"},
    ),
    "by what it holds": (
        {"identifier": [{"use": "usual", "value": "1"}, {"use": "official", "value": "2"}]},
        [operation("replace", "Patient.identifier.where(use = 'official').value", {"valueString": "3"})],
        {"identifier": [{"use": "usual", "value": "1"}, {"use": "official", "value": "3"}]},
    ),
    "by what stands in it": (
        {"identifier": [{"value": "1"}, {"value": "2", "type": {"coding": [{"code": "a"}, {"code": "it's"}]}}]},
        [operation("delete", r"identifier.where(type.coding.where(code = 'it\'s').exists() and value = '2')")],
        {"identifier": [{"value": "1"}]},
    ),
    "the last, and an extension": (
        {"name": [{"text": "a"}, {"text": "b", "extension": [{"url": "urn:x", "valueCode": "y"}]}]},
        [operation("delete", "Patient.name.last().extension('urn:x')")],
        {"name": [{"text": "a"}, {"text": "b"}]},
    ),
    "what stands beside a primitive goes with it": (
        {"name": [{"given": ["a", "b"], "_given": [{"id": "1"}, None]}]},
        [
            operation("move", "Patient.name[0].given", source=1, destination=0),
            operation("delete", "Patient.name[0].given[0]"),
            operation("insert", "Patient.name[0].given", {"valueString": "c"}, index=0),
        ],
        {"name": [{"given": ["c", "a"], "_given": [None, {"id": "1"}]}]},
    ),
    "a primitive is replaced with what stands beside it": (
        EXTENDED,
        [operation("replace", "Patient.birthDate", {"valueDate": "1974-12-26"})], {"birthDate": "1974-12-26"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "operations", "after"), CASES.values(), ids=CASES)
def test_each_operation_does_what_the_specification_says(
    before: dict[str, Any], operations: list[dict[str, Any]], after: dict[str, Any]
) -> None:
    kept = json.write(before)
    assert patched(before, *operations) == after
    assert json.write(before) == kept


MISFITS = {
    "nothing there to add to": operation(
        "add", "Patient.identifier.where(use = 'official').period", {"valueDate": "2021-12-01"}, name="end"
    ),
    "nothing there to replace": operation("replace", "Patient.birthDate", {"valueDate": "2021-12-01"}),
    "there already": operation("add", "Patient", {"valueCode": "male"}, name="gender"),
    "more than one": operation("replace", "Patient.identifier", third()),
    "past the end": operation("insert", "Patient.identifier", third(), index=3),
    "before the beginning": operation("move", "Patient.identifier", source=0, destination=-1),
    "no list": operation("insert", "Patient.gender", {"valueCode": "male"}, index=0),
    "no list but one of it": operation("insert", "Patient.identifier[0]", third(), index=0),
    "no such element": operation("replace", "Patient.nickname", {"valueString": "x"}),
    "no such element to add": operation("add", "Patient", {"valueString": "x"}, name="_gender"),
    "nothing stands under it": operation("delete", "Patient.gender.value"),
    "the resource itself": operation("delete", "Patient"),
    "a text where elements belong": operation("replace", "Patient.identifier[0]", {"valueString": "x"}),
    "elements where a text belongs": operation("replace", "Patient.gender", third()),
    "a choice without this type": operation("add", "Patient", {"valueString": "x"}, name="deceased"),
}


@pytest.mark.parametrize("wrong", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_refused_with_its_place_and_nothing_is_done(wrong: dict[str, Any]) -> None:
    first = operation("replace", "Patient.gender", {"valueCode": "female"})
    with pytest.raises(Invalid) as refused:
        patched({"gender": "male", **numbered(1, 2)}, first, wrong)
    [issue] = refused.value.issues
    assert issue.expression == ("Parameters.parameter[1]",)
    assert issue.nl != issue.en


UNREADABLE = {
    "another operation": {"name": "operation", "part": [{"name": "type", "valueCode": "copy"}]},
    "no operation": {"name": "event", "valueString": "aannemen"},
    "a part too few": operation("add", "Patient", {"valueDate": "1930-01-01"}),
    "a part too many": operation("delete", "Patient.birthDate", index=1),
    "a number as text": operation("move", "Patient.identifier", source="0", destination=1),
    "a function that is none of these": operation("delete", "Patient.identifier.repeat(type)"),
    "a variable": operation("delete", "Patient.identifier.where(value = %resource.id)"),
    "an expression": operation("delete", "Patient.identifier | Patient.name"),
    "exists() elsewhere": operation("delete", "Patient.identifier.exists()"),
    "half": operation("delete", "Patient.identifier.where(use = 'official'"),
    "no name": operation("delete", "Patient..name"),
    "too deep": operation("delete", "a.where(b.where(c.where(d.where(e = 1).exists()).exists()).exists())"),
    "too long": operation("delete", f"Patient{'.name' * 100}"),
    "a quote that never ends": operation("delete", "Patient.name.where(text = '" + "\\'" * 200),
}


@pytest.mark.parametrize("wrong", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_refused_all_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as refused:
        patched(BORN, wrong, operation("delete", "Patient.birthDate"), wrong)
    places = [issue.expression[0].split(".part")[0] for issue in refused.value.issues]
    assert places == ["Parameters.parameter[0]", "Parameters.parameter[2]"]


def test_nobody_makes_us_look_at_more_than_there_is_time_for() -> None:
    wide = {"identifier": [{"type": {"coding": [{"code": "a"}] * 10}}] * 1000}
    path = "identifier.where(type.where(coding.where(code = 'b').exists()).exists())"
    with pytest.raises(Invalid) as refused:
        patched(wide, *[operation("delete", path)] * 100)
    assert "20000" in refused.value.issues[0].en
    with pytest.raises(Malformed):
        patched(BORN, *[operation("delete", "Patient.birthDate")] * 101)


@pytest.mark.parametrize(
    "text", ["(" * 400, "'" * 401, "a." * 200, "[0]" * 100, "a[0" * 100, "\\" * 300, " " * 499 + "."]
)
def test_no_text_is_too_much_for_the_reader(text: str) -> None:
    with pytest.raises(KetenzorgError):
        patched(BORN, operation("delete", text))
