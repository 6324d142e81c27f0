"""Requests in the guide: what goes wrong and what to do, how to begin, and all of it as a collection to import."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ketenzorg.fhir.catalogue import KINDS
from ketenzorg.pages.guide_sheets import Code, Part, Sheet, link, table
from ketenzorg.pages.mistakes import Answered, Mistake, load_answers, load_mistakes

STARTS = {
    "curl.sh": "curl and openssl",
    "fhirpy.py": "Python, with fhirpy and joserfc",
    "fhir-kit-client.mjs": "JavaScript, with fhir-kit-client",
    "messaging.py": "As a message ($process-message), in Python",
}
COLLECTION = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
PLACES = ("Task", "Patient", "ServiceRequest")  # of a referral that was sent before
WHO = {"practice": "token", "coach": "coach_token", "hospital": "hospital_token"}


def errors(folder: Path) -> Sheet:
    """Each code of the catalogue, what to do, and the requests that get it."""
    answers, mistakes = load_answers(folder), load_mistakes(folder)
    parts = []
    for code, kind in KINDS.items():
        those = [each for each in mistakes if code in {said.kind for said in answers[each.title].issues}]
        rows = [_mistake(each, answers[each.title], code) for each in those]
        columns = ("Request", "Status", "Where", "What the server says") if rows else ()
        shown = tuple(_example(each, folder) for each in those[:1])
        parts.append(Part(code, f"{kind.title}. {kind.do}", columns, tuple(rows), shown))
    lead = (
        "Every failure is an OperationOutcome: `code` of FHIR, our code in `details.coding`, the text in Dutch in "
        "`details.text` and in English in `diagnostics`, `expression` into what you sent; all mistakes in one round. "
        "A test sends each request here and compares the answer."
    )
    return Sheet("Errors", lead, tuple(parts))


def quick_start(folder: Path) -> Sheet:
    """One file for each way to begin; a test runs each."""
    before = (
        "Who runs ketenzorg registers your system, with your public key: `ketenzorg client add NAME --organisation URA "
        "--scope 'system/*.cruds' --jwks FILE`. The file asks for a token, sends a referral, and reads what the other "
        "side did. To play the other side too it takes a second token: `./run token welzijn-demo`."
    )
    parts = [
        Part(
            title,
            before if n == 0 else "",
            code=(Code(name, (folder / "quick-start" / name).read_text("utf-8")),),
        )
        for n, (name, title) in enumerate(STARTS.items())
    ]
    more = [
        (
            link("/guide/postman.json", "Collection"),
            "Every request of the guide, for Postman, Bruno or Insomnia",
        ),
        (link("/guide/openapi.json", "OpenAPI"), "What is not FHIR: tokens, health, waiting times"),
        (
            link("/guide/files/examples/referral-welzijn-op-recept.json", "A referral"),
            "The example that is posted",
        ),
    ]
    return Sheet("Quick start", "From nothing to an answer.", (*parts, table("Files", ("", ""), more)))


def collection(folder: Path, base_url: str) -> bytes:
    """The requests of the guide as a Postman collection, which Bruno and Insomnia import too."""
    examples = folder / "examples"
    items = [{"name": each.title, "request": _request(each, examples)} for each in load_mistakes(folder)]
    names = sorted(path.stem for path in examples.glob("referral-*.json"))
    referrals = [Mistake(title=name, example=name.removeprefix("referral-")) for name in names]
    sends = [{"name": each.title, "request": _request(each, examples)} for each in referrals]
    places = [f"{kind}{part}" for kind in PLACES for part in ("", ".id")]
    variables = {"base": base_url, **dict.fromkeys((*WHO.values(), *places), "")}
    made = {
        "info": {"name": "ketenzorg", "schema": COLLECTION},
        "variable": [{"key": key, "value": value} for key, value in variables.items()],
        "item": [{"name": "Referrals", "item": sends}, {"name": "What goes wrong", "item": items}],
    }
    return json.dumps(made, indent=1, ensure_ascii=False).encode()


def _request(each: Mistake, examples: Path) -> dict[str, Any]:
    headers = {"Content-Type": "application/fhir+json"} | each.headers
    if each.who in WHO:
        headers["Authorization"] = f"Bearer {{{{{WHO[each.who]}}}}}"
    body = each.content(examples)
    made: dict[str, Any] = {
        "method": each.method,
        "header": [{"key": key, "value": value} for key, value in headers.items()],
        "url": "{{base}}" + _variables(each.path),
    }
    return made | ({"body": {"mode": "raw", "raw": _variables(body)}} if body else {})


def _variables(text: str) -> str:
    for kind in PLACES:
        text = text.replace(f"{{{kind}}}", f"{{{{{kind}}}}}").replace(f"{{{kind}.id}}", f"{{{{{kind}.id}}}}")
    return text


def _mistake(each: Mistake, answer: Answered, code: str) -> tuple[str, ...]:
    those = [said for said in answer.issues if said.kind == code]
    places = [f"`{place}`" for said in those for place in said.expression]
    return each.title, str(answer.status), ", ".join(dict.fromkeys(places)), those[0].diagnostics


def _example(each: Mistake, folder: Path) -> Code:
    return Code(each.title, "\n".join(_lines(each, folder)))


def _lines(each: Mistake, folder: Path) -> Iterator[str]:
    yield f"{each.method} {each.path}"
    yield from (f"{name}: {value}" for name, value in each.headers.items())
    if each.sends_example:
        yield f"\nreferral-{each.example}.json, with"
        yield from (f"  {path} = {json.dumps(value, ensure_ascii=False)}" for path, value in each.set.items())
        yield from (f"  {path} left out" for path in each.remove)
    elif body := each.content(folder / "examples"):
        yield f"\n{body}"
