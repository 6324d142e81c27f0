"""The compiler of profiles: each kind of rule with a resource that keeps it and one that breaks it."""

import json
from pathlib import Path
from typing import Any

import pytest

from ketenzorg.fhir.definitions import Definitions
from ketenzorg.fhir.profiles import Profiles
from ketenzorg.fhir.validate import validate

Json = dict[str, Any]
BASE = "https://voorbeeld.example"
R4 = "http://hl7.org/fhir/StructureDefinition"
CODE = {"text": "iets"}
KG = {"value": 1, "unit": "kg"}


def profile(kind: str, *elements: Json, base: str = "", name: str = "p", **more: Any) -> Json:
    return {
        "resourceType": "StructureDefinition",
        "url": f"{BASE}/{name}",
        "version": "1",
        "type": kind,
        "derivation": "constraint",
        "baseDefinition": base or f"{R4}/{kind}",
        "differential": {"element": [{"path": each["id"].replace(":", "."), **each} for each in elements]},
        **more,
    }


def sliced(kind: str, path: str, rules: str = "open") -> Json:
    return {"slicing": {"discriminator": [{"type": kind, "path": path}], "rules": rules}}


def rule(expression: str, severity: str = "error") -> Json:
    return {"constraint": [{"key": "r-1", "severity": severity, "human": "r", "expression": expression}]}


def patient(**elements: Any) -> Json:
    return {"resourceType": "Patient", **elements}


def observation(**elements: Any) -> Json:
    return {"resourceType": "Observation", "status": "final", "code": CODE, **elements}


def bound(value_set: str, strength: str = "required") -> Json:
    return {"binding": {"strength": strength, "valueSet": f"{BASE}/{value_set}"}}


def refers(kind: str, target: str) -> Json:
    return {"type": [{"code": kind, "targetProfile": [f"{R4}/{target}"]}]}


CODES = [
    {
        "resourceType": "CodeSystem", "url": f"{BASE}/s", "content": "complete",
        "concept": [{"code": "a", "concept": [{"code": "b"}]}, {"code": "c"}],
    },
    {"resourceType": "ValueSet", "url": f"{BASE}/all", "compose": {"include": [{"system": f"{BASE}/s"}]}},
    {
        "resourceType": "ValueSet", "url": f"{BASE}/some",
        "compose": {
            "include": [{"valueSet": [f"{BASE}/all"]}],
            "exclude": [{"system": f"{BASE}/s", "concept": [{"code": "c"}]}],
        },
    },
    {
        "resourceType": "ValueSet", "url": f"{BASE}/filtered",
        "compose": {"include": [{"system": f"{BASE}/s", "filter": [{"property": "p", "op": "=", "value": "v"}]}]},
    },
]  # fmt: skip


def coded(code: str, system: str = "s") -> Json:
    return {"coding": [{"system": f"{BASE}/{system}", "code": code}]}


URA = {"system": "urn:ura", "value": "1"}
BY_SYSTEM = {"id": "Patient.identifier", **sliced("value", "system")}
EXTENSION = profile(
    "Extension",
    {"id": "Extension.url", "fixedUri": f"{BASE}/e"},
    {"id": "Extension.value[x]", "min": 1, "type": [{"code": "string"}]},
    name="e",
)
NAMED = profile("HumanName", {"id": "HumanName.family", "min": 1}, name="n")

# the elements of the profile; a resource that keeps it; one that breaks it; where
RULES: dict[str, tuple[list[Json], Json, Json, str]] = {
    "min": ([{"id": "Patient.name", "min": 1}], patient(name=[{"text": "x"}]), patient(), "Patient.name"),
    "max": ([{"id": "Patient.name", "max": "1"}], patient(name=[{"text": "x"}]),
            patient(name=[{"text": "x"}, {"text": "y"}]), "Patient.name"),
    "none": ([{"id": "Patient.photo", "max": "0"}], patient(), patient(photo=[{"title": "x"}]), "Patient.photo"),
    "min inside": ([{"id": "Patient.name.family", "min": 1}], patient(), patient(name=[{"text": "x"}]),
                   "Patient.name[0].family"),
    "min by companion": ([{"id": "Patient.birthDate", "min": 1}],
                         patient(_birthDate={"extension": [{"url": "urn:x", "valueCode": "unknown"}]}), patient(),
                         "Patient.birthDate"),
    "fixed": ([{"id": "Patient.gender", "fixedCode": "female"}], patient(gender="female"), patient(gender="male"),
              "Patient.gender"),
    "pattern": ([{"id": "Observation.code", "patternCodeableConcept": coded("a")}],
                observation(code=coded("a") | CODE), observation(), "Observation.code"),
    "pattern, decimals": ([{"id": "Observation.value[x]", "patternQuantity": {"value": 1}}],
                          observation(valueQuantity=KG | {"value": 1.0}), observation(valueQuantity=KG | {"value": 2}),
                          "Observation.value.ofType(Quantity)"),
    "longest": ([{"id": "Patient.language", "maxLength": 2}], patient(language="nl"), patient(language="nl-NL"),
                "Patient.language"),
    "type of a choice": ([{"id": "Observation.value[x]", "type": [{"code": "Quantity"}]}],
                         observation(valueQuantity=KG), observation(valueString="x"),
                         "Observation.value.ofType(string)"),
    "required binding": ([{"id": "Observation.code", **bound("some")}], observation(code=coded("b")),
                         observation(code=coded("c")), "Observation.code"),
    "system of a binding": ([{"id": "Observation.code", **bound("all")}], observation(code=coded("a")),
                            observation(code=coded("a", "other")), "Observation.code"),
    "target": ([{"id": "Observation.subject", **refers("Reference", "Patient")}],
               observation(subject={"reference": "Patient/1"}), observation(subject={"reference": "Group/1"}),
               "Observation.subject.reference"),
    "invariant": ([{"id": "Patient.name", **rule("family.exists() or text.exists()")}],
                  patient(name=[{"text": "x"}]), patient(name=[{"use": "usual"}]), "Patient.name[0]"),
    "invariant over the resource": ([{"id": "Patient.name", **rule("%resource.active = true")}],
                                    patient(active=True, name=[{"text": "x"}]),
                                    patient(name=[{"text": "x"}]), "Patient.name[0]"),
    "memberOf": ([{"id": "Observation", **rule(f"code.memberOf('{BASE}/all')")}], observation(code=coded("b")),
                 observation(), "Observation"),
    "slice by value": ([BY_SYSTEM, {"id": "Patient.identifier:ura", "sliceName": "ura", "min": 1},
                        {"id": "Patient.identifier:ura.system", "fixedUri": "urn:ura"}],
                       patient(identifier=[{"value": "x"}, URA]), patient(identifier=[{"value": "x"}]),
                       "Patient.identifier"),
    "inside a slice": ([BY_SYSTEM, {"id": "Patient.identifier:ura", "sliceName": "ura"},
                        {"id": "Patient.identifier:ura.system", "fixedUri": "urn:ura"},
                        {"id": "Patient.identifier:ura.value", "min": 1}],
                       patient(identifier=[{"system": "urn:other"}, URA]), patient(identifier=[{"system": "urn:ura"}]),
                       "Patient.identifier[0].value"),
    "closed slices": ([{"id": "Patient.identifier", **sliced("value", "system", "closed")},
                       {"id": "Patient.identifier:ura", "sliceName": "ura"},
                       {"id": "Patient.identifier:ura.system", "fixedUri": "urn:ura"}],
                      patient(identifier=[URA]), patient(identifier=[URA, {"system": "urn:x"}]),
                      "Patient.identifier[1]"),
    "slice by pattern": ([{"id": "Observation.category", **sliced("pattern", "$this")},
                          {"id": "Observation.category:a", "sliceName": "a", "max": "1",
                           "patternCodeableConcept": coded("a")}],
                         observation(category=[coded("a"), coded("b"), coded("b")]),
                         observation(category=[coded("a"), coded("a")]), "Observation.category"),
    "slice by binding": ([{"id": "Observation.category", **sliced("value", "$this")},
                          {"id": "Observation.category:b", "sliceName": "b", "min": 1, **bound("some")}],
                         observation(category=[coded("a")]), observation(category=[coded("c")]),
                         "Observation.category"),
    "slice by existence": ([{"id": "Patient.name", **sliced("exists", "period")},
                            {"id": "Patient.name:old", "sliceName": "old", "max": "1"},
                            {"id": "Patient.name:old.period", "min": 1},
                            {"id": "Patient.name:now", "sliceName": "now"},
                            {"id": "Patient.name:now.period", "max": "0"}],
                           patient(name=[{"text": "x"}, {"text": "y"}, {"text": "z", "period": {"end": "2020"}}]),
                           patient(name=[{"text": "x", "period": {"end": "2019"}},
                                         {"text": "z", "period": {"end": "2020"}}]), "Patient.name"),
    "slice by type": ([{"id": "Observation.value[x]", **sliced("type", "$this")},
                       {"id": "Observation.value[x]:valueQuantity", "sliceName": "valueQuantity",
                        "type": [{"code": "Quantity"}]},
                       {"id": "Observation.value[x]:valueQuantity.unit", "min": 1}],
                      observation(valueString="x"), observation(valueQuantity={"value": 1}),
                      "Observation.value.ofType(Quantity).unit"),
    "slice by type of a reference": ([{"id": "Observation.performer", **sliced("type", "resolve()")},
                                      {"id": "Observation.performer:org", "sliceName": "org", "max": "1",
                                       **refers("Reference", "Organization")}],
                                     observation(performer=[{"reference": "Organization/1"},
                                                            {"reference": "Practitioner/1"}]),
                                     observation(performer=[{"reference": "Organization/1"},
                                                            {"reference": "Organization/2"}]),
                                     "Observation.performer"),
    "slice by profile": ([{"id": "Patient.name", **sliced("profile", "$this")},
                          {"id": "Patient.name:whole", "sliceName": "whole", "min": 1,
                           "type": [{"code": "HumanName", "profile": [f"{BASE}/n"]}]}],
                         patient(name=[{"text": "x"}, {"family": "x"}]), patient(name=[{"text": "x"}]),
                         "Patient.name"),
    "extension": ([{"id": "Patient.extension", **sliced("value", "url")},
                   {"id": "Patient.extension:e", "sliceName": "e", "min": 1,
                    "type": [{"code": "Extension", "profile": [f"{BASE}/e"]}]}],
                  patient(extension=[{"url": f"{BASE}/e", "valueString": "x"}]),
                  patient(extension=[{"url": "urn:x", "valueString": "x"}]), "Patient.extension"),
    "inside an extension": ([{"id": "Patient.extension", **sliced("value", "url")},
                             {"id": "Patient.extension:e", "sliceName": "e",
                              "type": [{"code": "Extension", "profile": [f"{BASE}/e"]}]}],
                            patient(extension=[{"url": f"{BASE}/e", "valueString": "x"}]),
                            patient(extension=[{"url": f"{BASE}/e", "valueBoolean": True}]),
                            "Patient.extension[0].value.ofType(boolean)"),
    "slice by an extension": ([{"id": "Patient.name", **sliced("value", f"extension('{BASE}/e').value")},
                               {"id": "Patient.name:x", "sliceName": "x", "min": 1},
                               {"id": "Patient.name:x.extension:e", "type": [{"code": "Extension",
                                                                               "profile": [f"{BASE}/e"]}]},
                               {"id": "Patient.name:x.extension:e.value[x]", "fixedString": "x"}],
                              patient(name=[{"extension": [{"url": f"{BASE}/e", "valueString": "x"}]}]),
                              patient(name=[{"extension": [{"url": f"{BASE}/e", "valueString": "y"}]}]),
                              "Patient.name"),
    "profile of a type": ([{"id": "Patient.name", "type": [{"code": "HumanName", "profile": [f"{BASE}/n"]}]}],
                          patient(name=[{"family": "x"}]), patient(name=[{"text": "x"}]), "Patient.name[0].family"),
    "content reference": ([{"id": "Observation.component.code", "min": 1},
                           {"id": "Observation.referenceRange.text", "min": 1},
                           {"id": "Observation.component.referenceRange",
                            "contentReference": "#Observation.referenceRange"}],
                          observation(component=[{"code": CODE}]),
                          observation(component=[{"code": CODE, "referenceRange": [{"low": {"value": 1}}]}]),
                          "Observation.component[0].referenceRange[0].text"),
}  # fmt: skip


def profiles_of(folder: Path, *definitions: Json) -> Profiles:
    """In a package cache folder, without an index as some packages are."""
    package = folder / "voorbeeld#1.0.0" / "package"
    package.mkdir(parents=True)
    for n, definition in enumerate([*definitions, EXTENSION, NAMED, *CODES]):
        (package / f"{definition['resourceType']}-{n}.json").write_text(json.dumps(definition), "utf-8")
    return Profiles(Definitions(list, folder))


def found(resource: Json, profiles: Profiles, severity: str = "error") -> list[str]:
    issues = validate(json.dumps(resource).encode(), [f"{BASE}/p"], profiles)
    return [issue.expression[0] for issue in issues if issue.severity == severity]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_kept_by_one_and_broken_by_the_other(name: str, tmp_path: Path) -> None:
    elements, keeps, breaks, place = RULES[name]
    profiles = profiles_of(tmp_path, profile(keeps["resourceType"], *elements))
    assert found(keeps, profiles) == []
    assert found(breaks, profiles) == [place]


@pytest.mark.parametrize(
    ("elements", "resource"),
    [
        ([{"id": "Observation.code", **bound("filtered")}], observation()),
        ([{"id": "Observation.code", **bound("nergens")}], observation()),
        ([{"id": "Patient.name", **rule("name.conformsTo('x')")}], patient(name=[{"text": "x"}])),
        ([{"id": "Patient.name", **rule("(((")}], patient(name=[{"text": "x"}])),
        ([{"id": "Patient", **rule(" and ".join(["true"] * 700))}], patient()),
        ([{"id": "Patient.name", **sliced("value", "where(use='usual')")},
          {"id": "Patient.name:a", "sliceName": "a", "min": 1}], patient(name=[{"text": "x"}])),
        ([{"id": "Patient.name", "type": [{"code": "HumanName", "profile": [f"{BASE}/nergens"]}]}],
         patient(name=[{"text": "x"}])),
        ([{"id": "Observation.value[x]", "maxValueInteger": 3}], observation(valueInteger=4)),
        ([{"id": "Observation.hasMember", "type": [{"code": "Reference", "targetProfile": [f"{BASE}/p"]}]}],
         observation(hasMember=[{"reference": "Observation/1"}])),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_said_and_is_no_error(
    elements: list[Json], resource: Json, tmp_path: Path
) -> None:
    profiles = profiles_of(tmp_path, profile(resource["resourceType"], *elements))
    assert found(resource, profiles) == []
    issues = validate(json.dumps(resource).encode(), [f"{BASE}/p"], profiles)
    assert [issue.en for issue in issues if issue.en.startswith("Not checked")]


def test_soft_rules_warn(tmp_path: Path) -> None:
    element = {"id": "Patient.name", **rule("family.exists()", "warning")}
    profiles = profiles_of(tmp_path, profile("Patient", element))
    assert found(patient(name=[{"text": "x"}]), profiles, "warning") == ["Patient.name[0]"]
    element = {"id": "Observation.code", **bound("all", "extensible")}
    profiles = profiles_of(tmp_path / "2", profile("Observation", element))
    assert found(observation(), profiles, "warning") == ["Observation.code"]


def test_a_profile_is_laid_over_its_base_and_a_missing_base_is_said(tmp_path: Path) -> None:
    below = profile("Patient", {"id": "Patient.name", "min": 1, **rule("family.exists()")}, name="below")
    above = profile("Patient", {"id": "Patient.name", "max": "1"}, base=f"{BASE}/below|1")
    profiles = profiles_of(tmp_path, below, above)
    assert found(patient(), profiles) == ["Patient.name"]
    assert found(patient(name=[{"text": "x"}]), profiles) == ["Patient.name[0]"]
    assert found(patient(name=[{"family": "x"}, {"family": "y"}]), profiles) == ["Patient.name"]
    profiles = profiles_of(tmp_path / "2", profile("Patient", base=f"{BASE}/nergens"))
    assert found(patient(), profiles, "information")[1:] == ["Patient"]


def test_the_snapshot_counts_and_what_r4_says_itself_is_not_said_twice(tmp_path: Path) -> None:
    ele = {"constraint": [{"key": "ele-1", "severity": "error", "human": "x", "expression": "false"}]}
    snapshot = {
        "element": [
            {"id": "Patient", "path": "Patient", **ele},
            {"id": "Patient.gender", "path": "x", "min": 1, "fixedCode": "female"},
        ]
    }
    profiles = profiles_of(tmp_path, profile("Patient", snapshot=snapshot))
    assert found(patient(gender="female"), profiles) == []
    assert found(patient(), profiles) == ["Patient.gender"]
    assert found(patient(gender="x"), profiles) == ["Patient.gender"]  # by R4 alone


def test_there_is_an_end_to_what_is_said(tmp_path: Path) -> None:
    profiles = profiles_of(tmp_path, profile("Patient", {"id": "Patient.name.family", "min": 1}))
    many = patient(name=[{"text": "x"}] * 5000)
    assert len(validate(json.dumps(many).encode(), [f"{BASE}/p"], profiles)) == 100


def test_a_broken_package_keeps_nothing_from_the_others(tmp_path: Path) -> None:
    profiles = profiles_of(tmp_path, profile("Patient", {"id": "Patient.name", "min": 1}))
    bad = tmp_path / "kapot#1" / "package"
    bad.mkdir(parents=True)
    out = {"filename": "../../out.json", "resourceType": "ValueSet", "url": "urn:out"}
    gone = {"filename": "gone.json", "resourceType": "ValueSet", "url": "urn:gone"}
    (bad / ".index.json").write_text(json.dumps({"files": [out, gone]}), "utf-8")
    (tmp_path / "out.json").write_text(json.dumps(out), "utf-8")
    assert profiles.definitions.find("urn:out") is None
    assert profiles.definitions.find("urn:gone") is None
    assert found(patient(), profiles) == ["Patient.name"]


def test_nl_core_from_its_packages(nl_core_packages: Path) -> None:
    """Slices by a value in the profile of their type, invariants, elements of contacts."""
    profiles = Profiles(Definitions(list, nl_core_packages))
    url = "http://nictiz.nl/fhir/StructureDefinition/nl-core-Patient"
    said = {"use": "official", "text": "Jo van Putten", "family": "Putten"}
    prefix = {"url": f"{R4}/humanname-own-prefix", "valueString": "van"}
    good = patient(name=[said], address=[{"use": "home", "country": "NL"}])
    bad = patient(name=[said, said | {"_family": {"extension": [prefix]}}], contact=[{"name": {"text": "x"}}])
    for resource, errors in ((good, set()), (bad, {"Patient.name[1]", "Patient.contact[0].name.use"})):
        issues = validate(json.dumps(resource).encode(), [url], profiles)
        assert {issue.expression[0] for issue in issues if issue.severity == "error"} == errors
