"""Requests made by chance: mostly as the service takes them, with something hostile in them; by one seed the same."""

import copy
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from any_resource import JUNK, KINDS, any_resource, written
from examples import FOLDER
from ketenzorg.fhir.search_parameters import PARAMETERS
from ketenzorg.referral.message import EVENT
from referrals import of, said
from subscriptions import polling, subscription

from .hostile import (
    CLIENTS,
    CONTROLS,
    DATES,
    HEADERS,
    HOSTILE,
    MARK,
    MODIFIERS,
    NUMBERS,
    PREFIXES,
    SPECIAL,
    VALUES,
)
from .likely import Between, creations, patches, requests

Json = dict[str, Any]
NOBODY = "00000000-0000-4000-8000-00000000dead"
EXAMPLES = [json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))]
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}")
PROFILED = [json.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "valid").glob("*.json"))]
FHIR, PATCH, FORM = (
    "application/fhir+json",
    "application/json-patch+json",
    "application/x-www-form-urlencoded",
)


WORDS = ("", "Mevrouw belt liever zelf.", "é 😀", f"{MARK}' or '1'='1", "a" * 600, "0", "{}")
DATA = ("Observation", "Condition", "Procedure")  # that a transaction adds to a traject
# What the header of a message says that we do not take, or that leaves us nowhere to answer.
NOT_RIGHT: tuple[Json, ...] = (
    {"id": None},
    {"id": f"{MARK}\n"},
    {"eventCoding": {"system": EVENT[0], "code": MARK}},
    {"eventCoding": None, "eventUri": f"https://his.example/{MARK}"},
    {"response": {"identifier": "m-1", "code": "ok"}},
    {"destination": [{"endpoint": "https://elsewhere.example/fhir"}]},
    {"source": {"endpoint": "", "name": MARK}},
    {"focus": None},
    {"focus": [{"reference": f"ServiceRequest/{MARK}"}]},
)
ENDED = ("completed", "cancelled", "rejected", "failed", "entered-in-error")


class Sent(NamedTuple):
    """One request; without a client it has no token."""

    kind: str
    client: str
    method: str
    path: str  # with the query, encoded
    headers: dict[str, str]
    body: bytes = b""


class Known:
    """What there is to ask about: ids that the service gave, and what it said may happen to a Task."""

    def __init__(self) -> None:
        self.ids: dict[str, list[str]] = {}
        self.allowed: dict[str, list[tuple[str, Json]]] = {}  # of a Task: who may say, that what happened
        self.bodies: dict[
            str, tuple[str, Json]
        ] = {}  # of what can be written back: who read it, and how it was
        self.messages: list[bytes] = []  # that were sent

    def learn(self, kind: str, id_: str) -> None:
        """One more resource; only the newest are asked about."""
        self.ids[kind] = [*self.ids.get(kind, ())[-30:], id_]


def text(chance: Random) -> str:
    """Something that may stand where a text stands."""
    return chance.choice(chance.choice((HOSTILE, HOSTILE, DATES, NUMBERS[:5], VALUES, VALUES)))


def some_id(kind: str, known: Known, chance: Random) -> str:
    ids = known.ids.get(kind, [])
    if ids and chance.random() < 0.9:
        return chance.choice(ids)
    return chance.choice([NOBODY, quote(text(chance), safe=""), "1", "A" * 70])


# Bodies


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """Each place in a body: what holds it, and under which name or number."""
    found = []
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += nodes(inner)
    return found


def spoiled(body: Any, chance: Random, most: int = 3) -> Any:
    """A copy in which some places hold what they should not."""
    body = copy.deepcopy(body)
    for _ in range(min(most, chance.choice([0, 0, 0, 1, 1, 2, 3]))):
        places = nodes(body)
        if not places:
            break
        holder, key = chance.choice(places)
        _spoil(holder, key, chance.choice(places), chance)
    return body


def now_and_then(body: Any, chance: Random, most: int = 1) -> Any:
    """The same, of what is right: what is spoiled always comes past the first look only."""
    return spoiled(body, chance, most) if chance.random() < 0.4 else body


def _spoil(holder: Any, key: Any, other: tuple[Any, Any], chance: Random) -> None:
    value = holder[key]
    if isinstance(value, str) and MOMENT.match(value) and chance.random() < 0.7:
        holder[key] = chance.choice(DATES)
        return
    if isinstance(value, int | float) and chance.random() < 0.7:
        holder[key] = chance.choice((0, -1, -0.0, 1.5, 1e300, 2**31, 2**63, 10**17, 10**19, 1e-18, True, "1"))
        return
    match chance.randrange(10):
        case 0:
            del holder[key]
        case 1:
            holder[key] = [value, copy.deepcopy(value)]
        case 2:
            holder[key] = copy.deepcopy(other[0][other[1]] if other[1] in _names(other[0]) else None)
        case 3 if isinstance(holder, dict):
            holder[chance.choice([f"_{key}", MARK, "id", "extension", "contained", "resourceType"])] = value
        case 4 if isinstance(value, list) and value:
            value.extend(copy.deepcopy(chance.choice(value)) for _ in range(chance.choice([1, 30])))
        case 5 if isinstance(value, str):
            holder[key] = value + text(chance)
        case 6:
            holder[key] = copy.deepcopy(chance.choice(JUNK))
        case 7:
            holder[key] = chance.choice(DATES)
        case _:
            holder[key] = text(chance)


def _names(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))


def as_bytes(body: Any, chance: Random) -> bytes:
    """A body as it goes over the line; now and then with bytes that no JSON has."""
    sent = json.dumps(body, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.93:
        return sent
    at = chance.randrange(len(sent) + 1)
    match chance.randrange(5):
        case 0:
            return sent[:at]
        case 1:
            return sent[:at] + chance.randbytes(2) + sent[at + 1 :]
        case 2:
            return sent[:at] + chance.choice(b'{}[]",:0\\-').to_bytes() + sent[at + 1 :]
        case 3:
            return sent.replace(b": true", b": " + chance.choice(NUMBERS).encode())
        case _:
            return sent.replace(b'"status"', b'"status": "x", "status"', 1)


def a_bundle(known: Known, chance: Random) -> Sent:
    """A referral of any pathway: new, again, or about a traject that is there; also as a batch and as a message."""
    bundle = copy.deepcopy(chance.choice(EXAMPLES))
    of(bundle, "ServiceRequest")["identifier"][0]["value"] = f"f-{chance.randrange(10**9)}"
    if chance.random() < 0.1:
        bundle["type"] = chance.choice(["batch", "message", "collection", "history", "document"])
    if chance.random() < 0.1:
        _more_entries(bundle, known, chance)
    client = "his-demo" if chance.random() < 0.8 else chance.choice(CLIENTS)
    return _sent("bundle", client, "POST", "/fhir", as_bytes(now_and_then(bundle, chance, 3), chance))


def a_message(known: Known, chance: Random) -> Sent:
    """A referral as a message: new, again, with another under its id, or with a header that is not right."""
    if known.messages and chance.random() < 0.15:
        sent = chance.choice(known.messages)
    else:
        sent = as_bytes(now_and_then(_message(chance), chance, 3), chance)
        known.messages = [*known.messages[-10:], sent]
    client = "his-demo" if chance.random() < 0.9 else chance.choice(CLIENTS)
    query = chance.choice(["", "", "", "", "?async=true", f"?{_query('Task', chance)}"])
    method = "POST" if chance.random() < 0.95 else chance.choice(["GET", "PUT", "DELETE"])
    return _sent("message", client, method, f"/fhir/$process-message{query}", sent)


def _message(chance: Random) -> Json:
    bundle = copy.deepcopy(chance.choice(EXAMPLES))
    of(bundle, "ServiceRequest")["identifier"][0]["value"] = f"m-{chance.randrange(10**9)}"
    entries = [{name: value for name, value in each.items() if name != "request"} for each in bundle["entry"]]
    request = next(each for each in entries if each["resource"]["resourceType"] == "ServiceRequest")
    header = {
        "resourceType": "MessageHeader",
        "id": f"m-{chance.randrange(200)}",
        "eventCoding": {"system": EVENT[0], "code": EVENT[1]},
        "source": {"endpoint": "https://his.example/fhir"},
        "focus": [{"reference": request.get("fullUrl", "")}],
    }
    if chance.random() < 0.2:
        header |= copy.deepcopy(chance.choice(NOT_RIGHT))
        header = {name: value for name, value in header.items() if value is not None}
    if chance.random() < 0.1:  # nothing follows the header, or it is not the first
        entries = chance.choice([[], [entries[0], {"resource": header}]])
    return {"resourceType": "Bundle", "type": "message", "entry": [{"resource": header}, *entries]}


def _more_entries(bundle: Json, known: Known, chance: Random) -> None:
    task = some_id("Task", known, chance)
    conditional = {
        "ifMatch": 'W/"1"',
        "ifNoneExist": text(chance),
        "ifNoneMatch": "*",
        "ifModifiedSince": text(chance),
    }
    for _ in range(chance.randint(1, 4)):
        kind = chance.choice(KINDS)
        method = chance.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
        url = chance.choice(
            [
                f"Task/{task}",
                f"Task?{_query('Task', chance)}",
                kind,
                f"{kind}?identifier={MARK}",
                f"Task/{task}/_history",
                text(chance),
            ]
        )
        name = chance.choice(list(conditional))
        request = {
            "method": method,
            "url": url,
            **({name: conditional[name]} if chance.random() < 0.5 else {}),
        }
        entry = {"request": request, "resource": any_resource(kind, chance)}
        if chance.random() < 0.5:
            del entry["resource"]
        bundle["entry"].append(entry)


def a_batch(known: Known, chance: Random) -> Sent:
    """Several requests in one body; data for a traject as a transaction."""
    seen = _between(known, chance)
    if seen is None or chance.random() < 0.3:
        bundle: Json = {
            "resourceType": "Bundle",
            "type": chance.choice(["batch", "transaction"]),
            "entry": [],
        }
        _more_entries(bundle, known, chance)
        client = chance.choice(CLIENTS)
    else:
        client, between = seen
        words, kind = chance.choice(WORDS), chance.choice(["batch", "batch", "transaction"])
        likely = list(requests(between, words, chance))
        if kind == "transaction" and chance.random() < 0.5:
            likely = [each for each in likely if each["request"]["url"] in DATA]
        bundle = {"resourceType": "Bundle", "type": kind, "entry": chance.sample(likely, min(len(likely), 3))}
    return _sent("batch", client, "POST", "/fhir", as_bytes(spoiled(bundle, chance, 1), chance))


def _between(known: Known, chance: Random) -> tuple[str, Between] | None:
    """A hand-over that somebody sees."""
    named = [(client, Between.of(body)) for client, body in _tasks(known, chance)]
    seen = [(client, between) for client, between in named if between is not None]
    return chance.choice(seen) if seen else None


def _tasks(known: Known, chance: Random) -> list[tuple[str, Json]]:
    """The newest that were seen; mostly those with which something can be done still."""
    tasks = [each for each in known.bodies.values() if each[1]["resourceType"] == "Task"]
    running = [each for each in tasks if each[1]["status"] not in ENDED]
    return (running if running and chance.random() < 0.9 else tasks)[-20:]


def an_event(known: Known, chance: Random) -> Sent:
    """Something happened to a Task: what may, or not."""
    task = some_id("Task", known, chance)
    able = [id_ for id_, events in known.allowed.items() if events]
    if able and chance.random() < 0.8:
        task = chance.choice(able[-20:])
    nonsense = (chance.choice(CLIENTS), said(text(chance)))
    client, happened = chance.choice(known.allowed.get(task) or [nonsense])
    happened = copy.deepcopy(happened)
    if chance.random() < 0.1:
        happened["parameter"].append({"name": "at", "valueDateTime": chance.choice(DATES)})
    for answer in happened["parameter"][1:]:
        if chance.random() < 0.1:
            answer.update({"name": answer["name"], "valueString": text(chance)})
    if chance.random() < 0.05:
        client = chance.choice(CLIENTS)
    body = as_bytes(now_and_then(happened, chance), chance)
    return _sent("$event", client, "POST", f"/fhir/Task/{task}/$event", body)


def a_patch(known: Known, chance: Random) -> Sent:
    """JSON Patch, and FHIRPath Patch."""
    tasks = _tasks(known, chance)
    if tasks and chance.random() < 0.6:
        client, before = chance.choice(tasks)
        is_json, patch = chance.choice(list(patches(before, chance.choice(WORDS), chance)))
        sent = as_bytes(now_and_then(patch, chance), chance)
        path = _named("Task", before["id"], chance)
        return _sent("patch", client, "PATCH", path, sent, PATCH if is_json else FHIR)
    task = some_id("Task", known, chance)
    client = known.bodies[task][0] if task in known.bodies else chance.choice(CLIENTS)
    paths = [
        "/status",
        "/status",
        "/status",
        "/businessStatus/coding/0/code",
        "/note/-",
        "/output/-",
        "/",
        "",
        "/~2",
        "/note/99",
        "/for",
        "/owner",
        "/extension/0",
    ]
    if chance.random() < 0.3:
        part = [
            {"name": "type", "valueCode": chance.choice(["add", "insert", "delete", "replace", "move", "x"])},
            {
                "name": "path",
                "valueString": chance.choice(
                    ["Task.status", "Task", "Task.note[0]", "Task.where(true)", text(chance)]
                ),
            },
            {"name": "name", "valueString": chance.choice(["status", "note", text(chance)])},
            {"name": "value", "valueCode": chance.choice(["accepted", text(chance)])},
        ]
        body: Any = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
        how = FHIR
    else:
        body = [
            {
                "op": chance.choice(["replace", "replace", "add", "remove", "test", "move", "copy", "x"]),
                "path": chance.choice([*paths, text(chance)]),
                "from": chance.choice(paths),
                "value": chance.choice(
                    ["accepted", "rejected", {"text": text(chance)}, copy.deepcopy(chance.choice(JUNK))]
                ),
            }
            for _ in range(chance.randint(1, 3))
        ]
        how = PATCH
    return _sent(
        "patch", client, "PATCH", f"/fhir/Task/{task}", as_bytes(spoiled(body, chance, 1), chance), how
    )


def a_put(known: Known, chance: Random) -> Sent:
    """A Task, an Appointment or anything else, written back."""
    if known.bodies and chance.random() < 0.7:
        appointments = [each for each in known.bodies.values() if each[1]["resourceType"] == "Appointment"]
        client, body = chance.choice([*_tasks(known, chance), *appointments[-5:]])
        kind, id_ = body["resourceType"], body["id"]
        if chance.random() < 0.3:
            body = body | {
                "status": chance.choice(["accepted", "in-progress", "rejected", "completed", "booked", MARK])
            }
    else:
        kind = chance.choice(["Task", "Task", "Appointment", chance.choice(KINDS)])
        id_, client = some_id(kind, known, chance), chance.choice(CLIENTS)
        body = any_resource(kind, chance) | {"id": id_}
    sent = as_bytes(now_and_then(body, chance, 3), chance)
    return _sent("put", client, "PUT", _named(kind, id_, chance), sent)


def _named(kind: str, id_: str, chance: Random) -> str:
    """By its address, or as the one that a search finds."""
    return f"/fhir/{kind}/{id_}" if chance.random() < 0.9 else f"/fhir/{kind}?_id={id_}"


def a_create(known: Known, chance: Random) -> Sent:
    """One resource of any type."""
    seen = _between(known, chance)
    if seen is not None and chance.random() < 0.6:
        client, between = seen
        made = chance.choice(list(creations(between, chance.choice(WORDS), chance)))
        sent = as_bytes(now_and_then(made, chance), chance)
        return _sent("create", client, "POST", f"/fhir/{made['resourceType']}", sent)
    kind = chance.choice(["Task", "Task", "Appointment", "Appointment", chance.choice(KINDS)])
    body = any_resource(kind, chance)
    if (
        known.bodies and chance.random() < 0.5
    ):  # what one side asks of the other refers to the Task between them
        _, body = chance.choice(list(known.bodies.values()))
        kind = body["resourceType"]
        body = {name: value for name, value in body.items() if name not in ("id", "meta", "identifier")}
    for name in ("for", "subject", "patient"):
        if name in body and chance.random() < 0.7:
            body[name] = {"reference": f"Patient/{some_id('Patient', known, chance)}"}
    sent = written(body) if chance.random() < 0.5 else as_bytes(spoiled(body, chance), chance)
    return _sent("create", chance.choice(CLIENTS), "POST", f"/fhir/{kind}", sent)


def a_validation(known: Known, chance: Random) -> Sent:
    """$validate of anything."""
    kind = chance.choice(KINDS)
    resource = chance.choice([*PROFILED, any_resource(kind, chance), any_resource(kind, chance)])
    kind = resource["resourceType"]
    body: Json = spoiled(resource, chance)
    if chance.random() < 0.4:
        asked = [
            {"name": "resource", "resource": body},
            {"name": "mode", "valueCode": chance.choice(["create", "update", MARK])},
        ]
        body = {"resourceType": "Parameters", "parameter": asked}
    query = (
        f"?{urlencode({chance.choice(['mode', 'profile', MARK]): text(chance)}, errors='replace')}"
        if chance.random() < 0.4
        else ""
    )
    here = f"/{some_id(kind, known, chance)}" if chance.random() < 0.2 else ""
    path = f"/fhir/{kind}{here}/$validate{query}"
    return _sent(
        "$validate",
        chance.choice(CLIENTS),
        chance.choice(["POST", "POST", "GET"]),
        path,
        as_bytes(body, chance),
    )


def a_subscription(known: Known, chance: Random) -> Sent:
    """Asking to be told, and what goes with it."""
    id_ = some_id("Subscription", known, chance)
    wish = (
        polling()
        if chance.random() < 0.6
        else subscription(chance.choice(["https://127.0.0.1:1/x", "http://x", text(chance)]))
    )
    method, path = chance.choice(
        [
            ("POST", ""), ("POST", ""), ("PUT", f"/{id_}"), ("DELETE", f"/{id_}"), ("GET", f"/{id_}"), ("GET",
            "/$status"),
            ("GET", f"/{id_}/$status"), ("GET", f"/{id_}/$events"), ("POST", f"/{id_}/$resend"), ("POST",
            f"/{id_}/$renew-secret"),
        ]
    )  # fmt: skip
    name = chance.choice(["eventsSinceNumber", "eventsUntilNumber", "content", "id", "status"])
    query = (
        f"?{name}={quote(text(chance), safe='', errors='replace')}"
        if "$" in path and chance.random() < 0.7
        else ""
    )
    body = as_bytes(spoiled(wish, chance), chance) if method in ("POST", "PUT") else b""
    return _sent("Subscription", chance.choice(CLIENTS), method, f"/fhir/Subscription{path}{query}", body)


# Searches and reads


def _query(kind: str, chance: Random) -> str:
    pairs = [_parameter(kind, chance) for _ in range(chance.choice([1, 1, 2, 3, 25]))]
    if chance.random() < 0.05:
        return quote(text(chance), safe="&=%;", errors="replace")
    return urlencode(pairs, safe=chance.choice(["", "|,:$"]), errors="replace")


def _parameter(kind: str, chance: Random) -> tuple[str, str]:
    name = chance.choice(
        [*(each.name for each in PARAMETERS.get(kind, ())), *CONTROLS, *SPECIAL, text(chance)][
            : None if chance.random() < 0.5 else 12
        ]
    )
    if chance.random() < 0.2:
        name = f"{name}:{chance.choice(MODIFIERS)}"
    if chance.random() < 0.1:
        name = f"{name}.{chance.choice(['identifier', 'status', 'name', 'patient', MARK])}" * chance.choice(
            [1, 1, 10]
        )
    value = chance.choice(DATES) if chance.random() < 0.2 else text(chance)
    if chance.random() < 0.3:
        value = chance.choice(PREFIXES) + value
    if chance.random() < 0.1:
        value = ",".join([value] * chance.choice([2, 200]))
    return name, value


def a_search(known: Known, chance: Random) -> Sent:
    """By GET or by form, of any type, of the whole service and of a history."""
    kind = chance.choice(
        [*PARAMETERS, *PARAMETERS, "AuditEvent", "Subscription", "PlanDefinition", chance.choice(KINDS)]
    )
    client, query = chance.choice(CLIENTS), _query(kind, chance)
    if chance.random() < 0.3:
        return _sent("search", client, "POST", f"/fhir/{kind}/_search", query.encode(), FORM)
    place = chance.choice(
        [kind] * 8 + ["", "_history", f"{kind}/_history", f"{kind}/{some_id(kind, known, chance)}/_history"]
    )
    return _sent("search", client, "GET", f"/fhir/{place}?{query}", b"")


def a_read(known: Known, chance: Random) -> Sent:
    """A resource, a version, a letter, what may happen, what is late."""
    if chance.random() < 0.3:  # what may happen is what the next events are made of
        return _sent(
            "read", chance.choice(CLIENTS), "GET", f"/fhir/Task/{some_id('Task', known, chance)}/$next", b""
        )
    kind = chance.choice([*known.ids, *KINDS, "Task", "Task"])
    after = chance.choice(
        [
            "",
            "",
            "/_history/1",
            "/_history/2147483648",
            f"/_history/{quote(text(chance), safe='', errors='replace')}",
            "/$next",
            "/$document",
            "/_history",
        ]
    )
    path = (
        "/fhir/Task/$overdue"
        if chance.random() < 0.05
        else f"/fhir/{kind}/{some_id(kind, known, chance)}{after}"
    )
    method = chance.choice(["GET"] * 6 + ["HEAD", "DELETE", "OPTIONS"])
    return _sent(
        "read",
        chance.choice(CLIENTS),
        method,
        f"{path}?{_query(kind, chance)}" if chance.random() < 0.3 else path,
        b"",
    )


# What is not FHIR


def a_form(known: Known, chance: Random) -> Sent:
    """Tokens, and what a page sends without a session."""
    path = chance.choice(
        [
            "/auth/token",
            "/auth/token",
            "/auth/introspect",
            "/login",
            "/login/uit",
            "/werk/x/stap",
            "/verwijzen/oogzorg",
            "/berichten/opnieuw",
        ]
    )
    names = [
        "grant_type",
        "scope",
        "client_assertion_type",
        "client_assertion",
        "token",
        "wie",
        "naar",
        text(chance),
    ]
    good = {
        "grant_type": "client_credentials", "scope": "system/Task.rs", "client_assertion": "a.b.c", "token": "x.y.z",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    pairs = [
        (name, text(chance) if chance.random() < 0.5 else good.get(name, ""))
        for name in chance.sample(names, chance.randint(0, 8))
    ]
    client = "" if path == "/auth/token" else chance.choice(CLIENTS)
    body = urlencode(pairs, errors="replace").encode() if chance.random() < 0.8 else chance.randbytes(40)
    return _sent("form", client, "POST", path, body, FORM)


def a_figure(known: Known, chance: Random) -> Sent:
    """The other addresses: figures, health, keys, pages, the clock of the sandbox."""
    pathway = chance.choice(
        ["welzijn-op-recept", "oogzorg", "antistolling", quote(text(chance), safe="", errors="replace")]
    )
    path = chance.choice(
        [f"/throughput/{pathway}", f"/throughput/{pathway}/doorstroom.csv",
        f"/throughput/{pathway}/{quote(text(chance), safe='', errors='replace')}",
         "/health/live", "/health/ready", "/auth/jwks", "/.well-known/smart-configuration", "/fhir/metadata",
         "/guide", "/guide/promises",
         f"/zorgpaden/{pathway}", "/keten", f"/keten/{pathway}", f"/werk/{some_id('Task', known, chance)}",
         f"/{pathway}", "/static/x"]
    )  # fmt: skip
    weeks = [*DATES, "2026-W01", "2026-W53", "2026-W60", "0000-W01", "9999-W52", text(chance)]
    pairs = [
        (
            chance.choice(["from", "to", "municipality", "organisation", "van", "tot", "week", text(chance)]),
            chance.choice(weeks),
        )
        for _ in range(chance.randint(0, 4))
    ]
    if chance.random() < 0.1:
        body = as_bytes(
            spoiled(
                {"now": chance.choice(["2026-01-12T09:30:00", f"{chance.choice(DATES)}T10:00:00Z", *DATES])},
                chance,
                1,
            ),
            chance,
        )
        return _sent("other", chance.choice([*CLIENTS, ""]), "PUT", "/sandbox/clock", body)
    method = chance.choice(["GET"] * 8 + ["POST", "PUT", "PATCH", "DELETE"])
    return _sent(
        "other", chance.choice([*CLIENTS, ""]), method, f"{path}?{urlencode(pairs, errors='replace')}", b""
    )


KINDS_OF_REQUEST: tuple[Callable[[Known, Random], Sent], ...] = (
    a_bundle, a_batch, an_event, a_patch, a_put, a_create, a_validation, a_subscription, a_search, a_read,
    a_form, a_figure, a_message,
)  # fmt: skip


def _sent(kind: str, client: str, method: str, path: str, body: bytes, how: str = FHIR) -> Sent:
    return Sent(kind, client, method, path, {"Content-Type": how} if body else {}, body)


def a_request(make: Callable[[Known, Random], Sent], known: Known, chance: Random) -> Sent:
    """Of one kind; some have a header that says what it should not."""
    sent = make(known, chance)
    for _ in range(chance.choice([0, 0, 0, 0, 0, 0, 1, 2])):
        name = chance.choice(list(HEADERS))
        sent.headers[name] = chance.choice(HEADERS[name])
    return sent
