"""Every rule of R4 beside the types, with one resource that keeps it and one that breaks it."""

import json
from typing import Any

import pytest

from ketenzorg.errors import Malformed
from ketenzorg.fhir.decode import decode
from ketenzorg.fhir.invariants import INVARIANTS, STRUCTURAL

Json = dict[str, Any]
CODE = {"text": "iets"}
PATIENT = {"reference": "Patient/1"}
HL7 = "http://terminology.hl7.org/CodeSystem/"
UCUM = {"system": "http://unitsofmeasure.org"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
AT = "2026-11-02T10:00:00+01:00"


def of(kind: str, /, **elements: Any) -> Json:
    return {"resourceType": kind, **elements}


def value(kind: str, content: Any) -> Json:
    """A resource that holds a data type, in an extension."""
    return of("Flag", status="active", code=CODE, subject=PATIENT, extension=[extension(kind, content)])


def extension(kind: str, content: Any) -> Json:
    return {"url": "https://voorbeeld.example/extensie", f"value{kind}": content}


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": HL7 + system, "code": code}]}


def repeat(**elements: Any) -> Json:
    return value("Timing", {"repeat": elements})


def observation(**elements: Any) -> Json:
    return of("Observation", **{"status": "final", "code": CODE} | elements)


def condition(**elements: Any) -> Json:
    return of("Condition", subject=PATIENT, **elements)


def allergy(**elements: Any) -> Json:
    return of("AllergyIntolerance", patient=PATIENT, **elements)


def task(**elements: Any) -> Json:
    return of("Task", **{"status": "requested", "intent": "order"} | elements)


def referral(**elements: Any) -> Json:
    return of("ServiceRequest", **{"status": "active", "intent": "order", "subject": PATIENT} | elements)


def appointment(**elements: Any) -> Json:
    participant = [{"actor": PATIENT, "status": "accepted"}]
    return of("Appointment", **{"status": "proposed", "participant": participant} | elements)


def question(**elements: Any) -> Json:
    return of("Questionnaire", status="draft", item=[{"linkId": "1", "type": "string"} | elements])


def section(**elements: Any) -> Json:
    author = [{"reference": "Practitioner/1"}]
    return of("Composition", status="final", type=CODE, date=AT, author=author, title="t", section=[elements])


def value_set(**include: Any) -> Json:
    return of("ValueSet", status="draft", compose={"include": [include]})


def expansion(**contains: Any) -> Json:
    return of("ValueSet", status="draft", expansion={"timestamp": AT, "contains": [contains]})


def parameter(**elements: Any) -> Json:
    operation = {"name": "n", "status": "draft", "kind": "operation", "code": "c"}
    own = {"name": "p", "use": "in", "min": 0, "max": "1"} | elements
    return of("OperationDefinition", **operation, system=True, type=False, instance=False, parameter=[own])


def search_parameter(**elements: Any) -> Json:
    own = {"url": "https://x.example", "name": "n", "status": "draft", "description": "d", "code": "c"}
    return of("SearchParameter", **own | {"base": ["Task"], "type": "token"} | elements)


def report(**elements: Any) -> Json:
    own = {
        "status": "complete",
        "type": "summary",
        "measure": "https://x.example/m",
        "period": {"start": "2026"},
    }
    return of("MeasureReport", **own | elements)


def measure(**stratifier: Any) -> Json:
    return of("Measure", status="draft", group=[{"stratifier": [stratifier]}])


def bundle(kind: str, /, *entries: Json, **elements: Any) -> Json:
    return of("Bundle", type=kind, **({"entry": list(entries)} if entries else {}), **elements)


def with_contained(contained: Json, **elements: Any) -> Json:
    return of("Patient", contained=[contained], **elements)


ANY = of("Patient", active=True)
POST = {"method": "POST", "url": "Patient"}
HOSPITAL = of("Organization", id="o", name="Ziekenhuis")
AT_HOSPITAL = {"managingOrganization": {"reference": "#o"}}
COMPOSITION = section(text={"status": "generated", "div": DIV.format("tekst")})
AUDIT = {
    "type": {"code": "rest"},
    "recorded": AT,
    "agent": [{"requestor": True}],
    "source": {"observer": {"display": "wij"}},
}
DOCUMENT = {"identifier": {"system": "https://x.example", "value": "1"}, "timestamp": AT}

# key, a resource that keeps it, one that breaks it, the place of what is broken
RULES: list[tuple[str, Json, Json, str]] = [
    ("age-1", value("Age", {"value": 3, "code": "a", **UCUM}), value("Age", {"value": 0, "code": "a", **UCUM}),
     "Flag.extension[0].value.ofType(Age)"),
    ("ait-1", allergy(clinicalStatus=concept("allergyintolerance-clinical", "active")), allergy(code=CODE),
     "AllergyIntolerance.clinicalStatus"),
    ("ait-2", allergy(verificationStatus=concept("allergyintolerance-verification", "entered-in-error")),
     allergy(verificationStatus=concept("allergyintolerance-verification", "entered-in-error"),
             clinicalStatus=concept("allergyintolerance-clinical", "active")),
     "AllergyIntolerance.clinicalStatus"),
    ("app-1", appointment(), appointment(participant=[{"status": "accepted"}]), "Appointment.participant[0]"),
    ("app-2", appointment(start=AT, end=AT), appointment(start=AT), "Appointment"),
    ("app-3", appointment(status="booked", start=AT, end=AT), appointment(status="booked"), "Appointment"),
    ("app-4", appointment(status="noshow", start=AT, end=AT, cancelationReason=CODE),
     appointment(cancelationReason=CODE), "Appointment.cancelationReason"),
    ("att-1", value("Attachment", {"data": "YWJj", "contentType": "text/plain"}),
     value("Attachment", {"data": "YWJj"}), "Flag.extension[0].value.ofType(Attachment).contentType"),
    ("bdl-1", bundle("searchset", total=0), bundle("collection", total=0), "Bundle.total"),
    ("bdl-2", bundle("searchset", {"resource": ANY, "search": {"mode": "match"}}),
     bundle("collection", {"resource": ANY, "search": {"mode": "match"}}), "Bundle.entry[0].search"),
    ("bdl-3", bundle("transaction", {"resource": ANY, "request": POST}), bundle("transaction", {"resource": ANY}),
     "Bundle.entry[0]"),
    ("bdl-4", bundle("batch-response", {"response": {"status": "200"}}), bundle("batch-response", {"resource": ANY}),
     "Bundle.entry[0]"),
    ("bdl-5", bundle("collection", {"resource": ANY}), bundle("collection", {"fullUrl": "urn:uuid:1"}),
     "Bundle.entry[0]"),
    ("bdl-7", bundle("collection", {"fullUrl": "urn:uuid:1", "resource": ANY},
                     {"fullUrl": "urn:uuid:1", "resource": of("Patient", meta={"versionId": "2"})}),
     bundle("collection", *[{"fullUrl": "urn:uuid:1", "resource": ANY}] * 2), "Bundle.entry[1].fullUrl"),
    ("bdl-8", bundle("collection", {"resource": ANY}),
     bundle("collection", {"fullUrl": "https://x.example/Patient/1/_history/2", "resource": ANY}),
     "Bundle.entry[0].fullUrl"),
    ("bdl-9", bundle("document", {"resource": COMPOSITION}, **DOCUMENT),
     bundle("document", {"resource": COMPOSITION}, **DOCUMENT | {"identifier": {"value": "1"}}),
     "Bundle.identifier"),
    ("bdl-10", bundle("document", {"resource": COMPOSITION}, **DOCUMENT),
     bundle("document", {"resource": COMPOSITION}, identifier=DOCUMENT["identifier"]), "Bundle.timestamp"),
    ("bdl-11", bundle("document", {"resource": COMPOSITION}, **DOCUMENT),
     bundle("document", {"resource": ANY}, **DOCUMENT), "Bundle.entry[0].resource"),
    ("bdl-12", bundle("message", {"resource": of("MessageHeader", eventUri="urn:x", source={"endpoint": "urn:y"})}),
     bundle("message", {"resource": ANY}), "Bundle.entry[0].resource"),
    ("cmp-1", section(entry=[PATIENT]), section(title="leeg"), "Composition.section[0]"),
    ("cmp-2", section(text={"status": "empty", "div": DIV.format("niets")}, emptyReason=CODE),
     section(entry=[PATIENT], emptyReason=CODE), "Composition.section[0].emptyReason"),
    ("cnt-3", value("Count", {"value": 3, "code": "1", **UCUM}), value("Count", {"value": 3.5, "code": "1", **UCUM}),
     "Flag.extension[0].value.ofType(Count)"),
    ("con-1", condition(stage=[{"summary": CODE}]), condition(stage=[{"type": CODE}]), "Condition.stage[0]"),
    ("con-2", condition(evidence=[{"code": [CODE]}]), condition(evidence=[{"id": "e"}]), "Condition.evidence[0]"),
    ("con-4", condition(abatementDateTime="2026", clinicalStatus=concept("condition-clinical", "resolved")),
     condition(abatementDateTime="2026", clinicalStatus=concept("condition-clinical", "active")),
     "Condition.clinicalStatus"),
    ("con-5", condition(verificationStatus=concept("condition-ver-status", "entered-in-error")),
     condition(verificationStatus=concept("condition-ver-status", "entered-in-error"),
               clinicalStatus=concept("condition-clinical", "active")), "Condition.clinicalStatus"),
    ("cpl-3", of("CarePlan", status="active", intent="plan", subject=PATIENT,
                 activity=[{"reference": {"reference": "Task/1"}}]),
     of("CarePlan", status="active", intent="plan", subject=PATIENT,
        activity=[{"reference": {"reference": "Task/1"}, "detail": {"status": "unknown"}}]), "CarePlan.activity[0]"),
    ("cpt-2", of("Patient", telecom=[{"system": "phone", "value": "1"}]), of("Patient", telecom=[{"value": "1"}]),
     "Patient.telecom[0].system"),
    ("csd-1", of("CodeSystem", status="draft", content="complete", concept=[{"code": "a"}, {"code": "b"}]),
     of("CodeSystem", status="draft", content="complete", concept=[{"code": "a", "concept": [{"code": "a"}]}]),
     "CodeSystem.concept"),
    ("dis-1", value("Distance", {"value": 3, "code": "km", **UCUM}), value("Distance", {"value": 3}),
     "Flag.extension[0].value.ofType(Distance)"),
    ("dom-2", with_contained(HOSPITAL, **AT_HOSPITAL),
     with_contained({**HOSPITAL, "contained": [of("Organization", id="i", name="x")], "partOf": {"reference": "#i"}},
                    **AT_HOSPITAL), "Patient.contained[0]"),
    ("dom-3", with_contained(HOSPITAL, **AT_HOSPITAL), with_contained(HOSPITAL), "Patient.contained[0]"),
    ("dom-4", with_contained({**HOSPITAL, "meta": {"tag": [{"code": "x"}]}}, **AT_HOSPITAL),
     with_contained({**HOSPITAL, "meta": {"versionId": "1"}}, **AT_HOSPITAL), "Patient.contained[0]"),
    ("dom-5", with_contained(HOSPITAL, **AT_HOSPITAL),
     with_contained({**HOSPITAL, "meta": {"security": [{"code": "R"}]}}, **AT_HOSPITAL), "Patient.contained[0]"),
    ("drq-1", value("DataRequirement", {"type": "Task", "codeFilter": [{"path": "code"}]}),
     value("DataRequirement", {"type": "Task", "codeFilter": [{"path": "code", "searchParam": "code"}]}),
     "Flag.extension[0].value.ofType(DataRequirement).codeFilter[0]"),
    ("drq-2", value("DataRequirement", {"type": "Task", "dateFilter": [{"searchParam": "date"}]}),
     value("DataRequirement", {"type": "Task", "dateFilter": [{"id": "f"}]}),
     "Flag.extension[0].value.ofType(DataRequirement).dateFilter[0]"),
    ("drt-1", value("Duration", {"value": 3, "code": "d", **UCUM}), value("Duration", {"code": "d", **UCUM}),
     "Flag.extension[0].value.ofType(Duration)"),
    ("ele-1", of("Patient", name=[{"text": "x"}]), of("Patient", name=[{}]), "Patient.name[0]"),
    ("exp-1", value("Expression", {"language": "text/fhirpath", "expression": "true"}),
     value("Expression", {"language": "text/fhirpath"}), "Flag.extension[0].value.ofType(Expression)"),
    ("ext-1", value("String", "x"), of("Patient", extension=[{"url": "https://x.example"}]), "Patient.extension[0]"),
    ("ext-1", of("Patient", extension=[{"url": "https://x.example", "extension": [extension("Code", "x")]}]),
     of("Patient", extension=[{**extension("Code", "x"), "extension": [extension("Code", "x")]}]),
     "Patient.extension[0]"),
    ("fhs-1", of("FamilyMemberHistory", status="partial", patient=PATIENT, relationship=CODE, ageString="8"),
     of("FamilyMemberHistory", status="partial", patient=PATIENT, relationship=CODE, ageString="8", bornString="9"),
     "FamilyMemberHistory"),
    ("fhs-2", of("FamilyMemberHistory", status="partial", patient=PATIENT, relationship=CODE, ageString="8",
                 estimatedAge=True),
     of("FamilyMemberHistory", status="partial", patient=PATIENT, relationship=CODE, estimatedAge=False),
     "FamilyMemberHistory.estimatedAge"),
    ("gol-1", of("Goal", lifecycleStatus="active", description=CODE, subject=PATIENT,
                 target=[{"measure": CODE, "detailInteger": 3}]),
     of("Goal", lifecycleStatus="active", description=CODE, subject=PATIENT, target=[{"detailInteger": 3}]),
     "Goal.target[0].measure"),
    ("inv-1", of("Parameters", parameter=[{"name": "a", "valueString": "x"}]),
     of("Parameters", parameter=[{"name": "a", "valueString": "x", "resource": ANY}]), "Parameters.parameter[0]"),
    ("inv-1", of("Parameters", parameter=[{"name": "a", "part": [{"name": "b", "valueBoolean": False}]}]),
     of("Parameters", parameter=[{"name": "a"}]), "Parameters.parameter[0]"),
    ("inv-1", task(authoredOn="2026-11-02T10:00:00+01:00", lastModified="2026-11-02T09:00:00Z"),
     task(authoredOn="2026-11-02T10:00:00Z", lastModified="2026-11-02T10:30:00+01:00"), "Task.lastModified"),
    ("mdd-1", of("MedicationDispense", status="completed", medicationReference={"reference": "Medication/1"},
                 whenPrepared="2026-11-01", whenHandedOver="2026-11-02"),
     of("MedicationDispense", status="completed", medicationReference={"reference": "Medication/1"},
        whenPrepared="2026-11-02", whenHandedOver="2026-11-01"), "MedicationDispense.whenHandedOver"),
    ("mea-1", measure(code=CODE), measure(code=CODE, component=[{"code": CODE, "criteria": {"language": "text/cql",
     "expression": "x"}}]), "Measure.group[0].stratifier[0]"),
    ("mrp-1", report(group=[{"code": CODE}]), report(type="data-collection", group=[{"code": CODE}]),
     "MeasureReport.group"),
    ("mrp-2", report(group=[{"stratifier": [{"stratum": [{"value": CODE}]}]}]),
     report(group=[{"stratifier": [{"stratum": [{"measureScore": {"value": 1}}]}]}]),
     "MeasureReport.group[0].stratifier[0].stratum[0]"),
    ("obs-3", observation(referenceRange=[{"text": "x"}]), observation(referenceRange=[{"type": CODE}]),
     "Observation.referenceRange[0]"),
    ("obs-6", observation(dataAbsentReason=CODE), observation(dataAbsentReason=CODE, valueString="x"),
     "Observation.dataAbsentReason"),
    ("obs-7", observation(code=concept("x", "a"), valueString="x", component=[{"code": concept("x", "b")}]),
     observation(code=concept("x", "a"), valueString="x", component=[{"code": concept("x", "a")}]),
     "Observation.value"),
    ("opd-1", parameter(type="string"), parameter(documentation="x"), "OperationDefinition.parameter[0]"),
    ("opd-2", parameter(type="string", searchType="token"), parameter(type="code", searchType="token"),
     "OperationDefinition.parameter[0].searchType"),
    ("opd-3", parameter(type="Reference", targetProfile=["https://x.example/p"]),
     parameter(type="string", targetProfile=["https://x.example/p"]),
     "OperationDefinition.parameter[0].targetProfile"),
    ("org-1", of("Organization", name="x"), of("Organization", active=True), "Organization"),
    ("org-2", of("Organization", name="x", address=[{"use": "work", "text": "x"}]),
     of("Organization", name="x", address=[{"use": "home", "text": "x"}]), "Organization.address"),
    ("org-3", of("Organization", name="x", telecom=[{"use": "work", "system": "phone"}]),
     of("Organization", name="x", telecom=[{"use": "home", "system": "phone"}]), "Organization.telecom"),
    ("pat-1", of("Patient", contact=[{"name": {"text": "x"}}]), of("Patient", contact=[{"gender": "male"}]),
     "Patient.contact[0]"),
    ("per-1", value("Period", {"start": "2026-02", "end": "2026-02-11"}),
     value("Period", {"start": "2026-03", "end": "2026-02-11"}), "Flag.extension[0].value.ofType(Period)"),
    ("per-1", value("Period", {"start": "2026-01-01T10:00:00+01:00", "end": "2026-01-01T09:30:00Z"}),
     value("Period", {"start": "2026-01-01T09:00:00Z", "end": "2026-01-01T09:30:00+01:00"}),
     "Flag.extension[0].value.ofType(Period)"),
    ("ppc-1", of("Consent", status="draft", scope=CODE, category=[CODE], policyRule=CODE),
     of("Consent", status="draft", scope=CODE, category=[CODE]), "Consent"),
    ("prr-1", referral(code=CODE, orderDetail=[CODE]), referral(orderDetail=[CODE]), "ServiceRequest.orderDetail"),
    ("qrs-1", of("QuestionnaireResponse", status="completed", item=[{"linkId": "1", "answer": [{"valueString": "x"}]}]),
     of("QuestionnaireResponse", status="completed",
        item=[{"linkId": "1", "answer": [{"valueString": "x"}], "item": [{"linkId": "2"}]}]),
     "QuestionnaireResponse.item[0]"),
    *((
        "qty-3", value(kind, {"value": 1, "code": code, **UCUM}), value(kind, {"value": 1, "code": code}),
        f"Flag.extension[0].value.ofType({kind}).system",
    ) for kind, code in [("Quantity", "kg"), ("Age", "a"), ("Count", "1"), ("Distance", "m"), ("Duration", "d")]),
    ("que-1", question(type="group", item=[{"linkId": "2", "type": "string"}]), question(type="group"),
     "Questionnaire.item[0].item"),
    ("que-2", question(item=[{"linkId": "2", "type": "string"}]), question(item=[{"linkId": "1", "type": "string"}]),
     "Questionnaire.item"),
    ("que-3", question(code=[{"code": "x"}]), question(type="display", code=[{"code": "x"}]),
     "Questionnaire.item[0].code"),
    ("que-4", question(answerValueSet="https://x.example/v"),
     question(answerValueSet="https://x.example/v", answerOption=[{"valueString": "x"}]), "Questionnaire.item[0]"),
    ("que-5", question(type="choice", answerOption=[{"valueString": "x"}]),
     question(type="boolean", answerOption=[{"valueString": "x"}]), "Questionnaire.item[0]"),
    ("que-6", question(required=True), question(type="display", required=False), "Questionnaire.item[0]"),
    ("que-7", question(enableWhen=[{"question": "2", "operator": "exists", "answerBoolean": True}]),
     question(enableWhen=[{"question": "2", "operator": "exists", "answerInteger": 1}]),
     "Questionnaire.item[0].enableWhen[0].answer"),
    ("que-8", question(initial=[{"valueString": "x"}]), question(type="display", initial=[{"valueString": "x"}]),
     "Questionnaire.item[0].initial"),
    ("que-9", question(readOnly=True), question(type="display", readOnly=True), "Questionnaire.item[0].readOnly"),
    ("que-10", question(maxLength=9), question(type="date", maxLength=9), "Questionnaire.item[0].maxLength"),
    ("que-11", question(type="choice", answerOption=[{"valueString": "x"}]),
     question(type="choice", answerOption=[{"valueString": "x"}], initial=[{"valueString": "x"}]),
     "Questionnaire.item[0].initial"),
    ("que-12", question(enableWhen=[{"question": "2", "operator": "=", "answerInteger": 1}] * 3, enableBehavior="any"),
     question(enableWhen=[{"question": "2", "operator": "=", "answerInteger": 1}] * 3),
     "Questionnaire.item[0].enableBehavior"),
    ("que-13", question(repeats=True, initial=[{"valueString": "x"}, {"valueString": "y"}]),
     question(initial=[{"valueString": "x"}, {"valueString": "y"}]), "Questionnaire.item[0].initial"),
    ("rat-1", value("Ratio", {"numerator": {"value": 1}, "denominator": {"value": 2}}),
     value("Ratio", {"numerator": {"value": 1}}), "Flag.extension[0].value.ofType(Ratio)"),
    ("ref-1", with_contained(HOSPITAL, **AT_HOSPITAL), of("Patient", **AT_HOSPITAL),
     "Patient.managingOrganization.reference"),
    ("rng-2", value("Range", {"low": {"value": 9.5}, "high": {"value": 10}}),
     value("Range", {"low": {"value": 10}, "high": {"value": 9.5}}), "Flag.extension[0].value.ofType(Range)"),
    ("sev-1", of("AuditEvent", **AUDIT, entity=[{"name": "x"}]),
     of("AuditEvent", **AUDIT, entity=[{"name": "x", "query": "YWJj"}]), "AuditEvent.entity[0]"),
    ("spd-1", search_parameter(xpath="x", xpathUsage="normal"), search_parameter(xpath="x"),
     "SearchParameter.xpathUsage"),
    ("spd-2", search_parameter(type="reference", chain=["x"]), search_parameter(chain=["x"]),
     "SearchParameter.chain"),
    ("sqty-1", value("Range", {"low": {"value": 1}}), value("Range", {"low": {"value": 1, "comparator": "<"}}),
     "Flag.extension[0].value.ofType(Range).low.comparator"),
    ("tim-1", repeat(duration=1, durationUnit="h"), repeat(duration=1),
     "Flag.extension[0].value.ofType(Timing).repeat.durationUnit"),
    ("tim-2", repeat(period=1, periodUnit="d"), repeat(period=1),
     "Flag.extension[0].value.ofType(Timing).repeat.periodUnit"),
    ("tim-4", repeat(duration=0, durationUnit="h"), repeat(duration=-1, durationUnit="h"),
     "Flag.extension[0].value.ofType(Timing).repeat.duration"),
    ("tim-5", repeat(period=0, periodUnit="d"), repeat(period=-1, periodUnit="d"),
     "Flag.extension[0].value.ofType(Timing).repeat.period"),
    ("tim-6", repeat(period=1, periodUnit="d", periodMax=2), repeat(periodMax=2),
     "Flag.extension[0].value.ofType(Timing).repeat.periodMax"),
    ("tim-7", repeat(duration=1, durationUnit="h", durationMax=2), repeat(durationMax=2),
     "Flag.extension[0].value.ofType(Timing).repeat.durationMax"),
    ("tim-8", repeat(count=1, countMax=2), repeat(countMax=2),
     "Flag.extension[0].value.ofType(Timing).repeat.countMax"),
    ("tim-9", repeat(when=["ACM"], offset=30), repeat(when=["C"], offset=30),
     "Flag.extension[0].value.ofType(Timing).repeat.offset"),
    ("tim-10", repeat(timeOfDay=["10:00:00"]), repeat(timeOfDay=["10:00:00"], when=["ACM"]),
     "Flag.extension[0].value.ofType(Timing).repeat"),
    ("trd-1", value("TriggerDefinition", {"type": "data-added", "data": [{"type": "Task"}]}),
     value("TriggerDefinition", {"type": "data-added", "data": [{"type": "Task"}], "timingDate": "2026"}),
     "Flag.extension[0].value.ofType(TriggerDefinition)"),
    ("trd-2", value("TriggerDefinition", {"type": "named-event", "name": "x"}),
     value("TriggerDefinition",
           {"type": "named-event", "name": "x", "condition": {"language": "text/cql", "expression": "x"}}),
     "Flag.extension[0].value.ofType(TriggerDefinition).condition"),
    ("trd-3", value("TriggerDefinition", {"type": "periodic", "timingDate": "2026"}),
     value("TriggerDefinition", {"type": "named-event"}), "Flag.extension[0].value.ofType(TriggerDefinition)"),
    ("txt-1", of("Patient", text={"status": "generated", "div": DIV.format("<b>one = 1</b>")}),
     of("Patient", text={"status": "generated", "div": DIV.format('<b onclick="x()">a</b>')}), "Patient.text.div"),
    ("txt-1", of("Patient", text={"status": "generated", "div": DIV.format("a &lt;script&gt;")}),
     of("Patient", text={"status": "generated", "div": DIV.format("a<script>x()</script>")}), "Patient.text.div"),
    ("txt-2", of("Patient", text={"status": "generated", "div": DIV.format("x")}),
     of("Patient", text={"status": "generated", "div": DIV.format(" <b>\n</b>")}), "Patient.text.div"),
    ("vsd-1", value_set(system="https://x.example"), value_set(version="1"), "ValueSet.compose.include[0]"),
    ("vsd-2", value_set(system="https://x.example", concept=[{"code": "a"}]),
     value_set(valueSet=["https://x.example/v"], concept=[{"code": "a"}]), "ValueSet.compose.include[0].system"),
    ("vsd-3", value_set(system="https://x.example", concept=[{"code": "a"}]),
     value_set(system="https://x.example", concept=[{"code": "a"}],
               filter=[{"property": "p", "op": "=", "value": "v"}]), "ValueSet.compose.include[0]"),
    ("vsd-6", expansion(abstract=True, display="x"), expansion(abstract=True), "ValueSet.expansion.contains[0]"),
    ("vsd-9", expansion(abstract=True, display="x"), expansion(display="x"), "ValueSet.expansion.contains[0].code"),
    ("vsd-10", expansion(system="https://x.example", code="a"), expansion(code="a"),
     "ValueSet.expansion.contains[0].system"),
]  # fmt: skip


def issues(resource: Json) -> list[tuple[str, str]]:
    """Place and English text of everything that is wrong."""
    try:
        decode(json.dumps(resource).encode())
    except Malformed as error:
        return [(issue.expression[0], issue.en) for issue in error.issues]
    return []


@pytest.mark.parametrize(("key", "good", "bad", "place"), RULES, ids=[rule[0] for rule in RULES])
def test_rule(key: str, good: Json, bad: Json, place: str) -> None:
    assert issues(good) == []
    found = issues(bad)
    assert place in [where for where, _ in found]
    assert key == "ele-1" or any(where == place and f"({key})" in text for where, text in found)


def test_every_rule_has_its_example() -> None:
    assert {rule[0] for rule in RULES} == {each.key for each in INVARIANTS} | set(STRUCTURAL)


# what is tested, the resource, the place; "" where it is fine
SHAPES: list[tuple[str, Json, str]] = [
    ("a required code by its companion",
     of("Task", intent="order", _status={"extension": [extension("Code", "unknown")]}), ""),
    ("a required code missing", of("Task", intent="order"), "Task.status"),
    ("two choices", observation(valueString="x", valueInteger=1), "Observation.value"),
    ("a choice and the companion of another", observation(valueString="x", _valueInteger={"id": "i"}),
     "Observation.value"),
    ("a value with its own companion", observation(valueString="x", _valueString={"id": "i"}), ""),
    ("a required choice missing", of("MedicationRequest", status="active", intent="order", subject=PATIENT),
     "MedicationRequest.medication"),
    ("one of fifty types missing", task(input=[{"type": CODE}]), "Task.input[0].value"),
    ("two of fifty types", task(input=[{"type": CODE, "valueString": "x", "_valueDate": {"id": "i"}}]),
     "Task.input[0].value"),
    ("one of fifty types by its companion", task(input=[{"type": CODE, "_valueDate": {"id": "i"}}]), ""),
    ("null filled by a companion", of("Patient", name=[{"given": ["a", None], "_given": [None, {"id": "i"}]}]), ""),
    ("null that nothing fills", of("Patient", name=[{"given": ["a", None], "_given": [{"id": "i"}, None]}]),
     "Patient.name[0].given[1]"),
    ("companions of another length", of("Patient", name=[{"given": ["a", "b"], "_given": [{"id": "i"}]}]),
     "Patient.name[0].given"),
    ("companions without values", of("Patient", name=[{"_given": [{"id": "i"}]}]), ""),
    ("null for a single element", of("Patient", active=None), "Patient.active"),
    ("null for a list", of("Patient", name=None), "Patient.name"),
    ("null in a list of objects", of("Patient", name=[None]), "Patient.name[0]"),
    ("an empty list", of("Patient", name=[]), "Patient.name"),
    ("a list for one", of("Patient", active=[True]), "Patient.active"),
    ("one for a list", of("Patient", name={"text": "x"}), "Patient.name"),
    ("a boolean in quotes", of("Patient", active="true"), "Patient.active"),
    ("a boolean as a number", of("Patient", active=1), "Patient.active"),
    ("a decimal in quotes", value("Quantity", {"value": "1.0"}), "Flag.extension[0].value.ofType(Quantity).value"),
    ("a string without quotes", of("Patient", language=1), "Patient.language"),
    ("an integer with a point", value("Integer", 1.0), "Flag.extension[0].value.ofType(integer)"),
    ("an integer too large", value("Integer", 2147483648), "Flag.extension[0].value.ofType(integer)"),
    ("a positiveInt of zero", value("PositiveInt", 0), "Flag.extension[0].value.ofType(positiveInt)"),
    ("an empty string", of("Patient", name=[{"text": ""}]), "Patient.name[0].text"),
    ("an id of 64", of("Patient", id="a" * 64), ""),
    ("an id of 65", of("Patient", id="a" * 65), "Patient.id"),
    ("an id with a slash", of("Patient", id="a/b"), "Patient.id"),
    ("an id with a line end", of("Patient", id="a\n"), "Patient.id"),
    ("a uri with a space", of("Patient", implicitRules="urn: x"), "Patient.implicitRules"),
    ("a code with two spaces", of("Patient", language="nl  NL"), "Patient.language"),
    ("a code with one space", of("Patient", language="nl NL"), ""),
    ("base64", value("Base64Binary", "YWI=\n"), ""),
    ("base64 without padding", value("Base64Binary", "YWI"), "Flag.extension[0].value.ofType(base64Binary)"),
    ("an oid", value("Oid", "urn:oid:2.16.840"), ""),
    ("an oid with a leading zero", value("Oid", "urn:oid:2.01"), "Flag.extension[0].value.ofType(oid)"),
    ("a uuid in capitals", value("Uuid", "urn:uuid:" + "A" * 36), "Flag.extension[0].value.ofType(uuid)"),
    ("an unknown element", of("Patient", naam="x"), "Patient.naam"),
    ("an element of a number", of("Patient", **{"999911120": "x"}), "Patient"),
    ("a companion of a complex element", of("Patient", _name=[{"id": "i"}]), "Patient._name"),
    ("a wrong code", of("Patient", gender="vrouw"), "Patient.gender"),
    ("a missing complex element", of("ServiceRequest", status="active", intent="order"), "ServiceRequest.subject"),
    ("a status outside a required CodeableConcept", condition(clinicalStatus=concept("x", "active")),
     "Condition.clinicalStatus"),
    ("only text in a required CodeableConcept", condition(clinicalStatus=CODE), "Condition.clinicalStatus"),
    ("a reference of the wrong type", referral(subject={"reference": "Observation/1"}),
     "ServiceRequest.subject.reference"),
    ("an absolute reference of the wrong type", referral(subject={"reference": "https://x.example/fhir/Task/1"}),
     "ServiceRequest.subject.reference"),
    ("an absolute reference", referral(subject={"reference": "https://x.example/fhir/Patient/1/_history/2"}), ""),
    ("a conditional reference", referral(subject={"reference": "Patient?identifier=https://x.example|1"}), ""),
    ("a conditional reference of the wrong type", referral(subject={"reference": "Task?identifier=1"}),
     "ServiceRequest.subject.reference"),
    ("a reference by identifier", referral(subject={"identifier": {"value": "1"}}), ""),
    ("a reference in a list", referral(performer=[{"reference": "Organization/1"}, {"reference": "Task/1"}]),
     "ServiceRequest.performer[1].reference"),
    ("a reference to a type that is not", task(focus={"reference": "Dokter/1"}), "Task.focus.reference"),
    ("a contained resource of the wrong type", referral(contained=[HOSPITAL], subject={"reference": "#o"}),
     "ServiceRequest.subject.reference"),
    ("an entry of the wrong type", bundle("collection", {"fullUrl": "urn:uuid:1", "resource": HOSPITAL},
     {"fullUrl": "urn:uuid:2", "resource": referral(subject={"reference": "urn:uuid:1"})}),
     "Bundle.entry[1].resource.subject.reference"),
    ("an unknown type in contained", with_contained(of("Device", id="d")), "Patient.contained[0]"),
    ("an unknown type as outcome", bundle("batch-response", {"response": {"status": "1", "outcome": of("Basic")}}),
     "Bundle.entry[0].response.outcome"),
    ("an unknown type in Parameters", of("Parameters", parameter=[{"name": "r", "resource": of("Basic")}]),
     "Parameters.parameter[0].resource"),
    ("a resource without type", {"active": True}, "Resource"),
    ("an entry without type", bundle("collection", {"resource": {"active": True}}), "Bundle.entry[0].resource"),
    ("a type that is a number", of("Patient") | {"resourceType": 1}, "Resource"),
    ("an empty resource", of("Patient"), ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "place"), [each[1:] for each in SHAPES], ids=[each[0] for each in SHAPES]
)
def test_shape(resource: Json, place: str) -> None:
    assert [where for where, _ in issues(resource)] == ([place] if place else [])


DATES = {
    "date": {
        "2024": True, "2024-02": True, "2024-02-29": True, "2000-02-29": True, "9999-12-31": True,
        "1958-02-31": False, "2023-02-29": False, "1900-02-29": False, "2024-04-31": False, "2024-13": False,
        "0000": False, "0000-02-29": False, "10000-01-01": False, "2024-1-1": False, "2024-01-01T10:00:00Z": False,
        "2024-02-29\n": False, "٢٠٢٤": False,
    },
    "dateTime": {
        "2024": True, "2024-02-29": True, "2024-01-01T00:00:00Z": True, "2024-01-01T23:59:60Z": True,
        "2024-01-01T10:00:00.123456789+14:00": True, "2024-01-01T10:00:00-14:00": True,
        "2024-01-01T10:00:00": False, "2024-01-01T24:00:00Z": False, "2024-01-01T10:00:00+14:01": False,
        "2024-01-01T10:00Z": False, "2024-01-01T10:00:61Z": False, "2024-01-01 10:00:00Z": False,
        "2024-02T10:00:00Z": False, "2024-02-30T10:00:00Z": False,
    },
    "instant": {"2024-01-01T10:00:00+01:00": True, "2024-01-01": False, "2024-01-01T10:00:00": False},
    "time": {"10:00:00": True, "23:59:60.5": True, "24:00:00": False, "10:00": False, "10:00:00Z": False},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text", "fine"),
    [(kind, text, fine) for kind, table in DATES.items() for text, fine in table.items()],
)
def test_date_and_time(kind: str, text: str, fine: bool) -> None:
    place = f"Flag.extension[0].value.ofType({kind})"
    found = issues(value(kind[0].upper() + kind[1:], text))
    assert [where for where, _ in found] == ([] if fine else [place])
