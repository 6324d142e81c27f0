"""The return letter: what the one who did the work tells the one who asked, made from what was recorded.

A FHIR document: a Composition with its narrative, and a DocumentReference by which a system finds it and files it.
https://hl7.org/fhir/R4/documents.html, https://hl7.org/fhir/R4/documentreference.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, NamedTuple
from uuid import UUID

from ketenzorg.fhir import json
from ketenzorg.pathway.calendar import AMSTERDAM, day_in_words
from ketenzorg.referral.codes import output_type
from ketenzorg.referral.stored import instant, ours

OUTPUT = "terugkoppelbrief"  # of Task.output: where the letter is
# LOINC 11488-4: the answer to a referral, also in the ConsultationNote of C-CDA.
CONSULT_NOTE = {
    "coding": [{"system": "http://loinc.org", "code": "11488-4", "display": "Consult note"}],
    "text": "Terugkoppeling op een verwijzing",
}
XHTML = "http://www.w3.org/1999/xhtml"


class Letter(NamedTuple):
    """Who writes about what, and what is told; addresses are like "Organization/<id>"."""

    title: str
    author: str
    author_name: str
    patient: str
    request: str
    task: str
    answers: Sequence[tuple[str, str]]  # (what it is, the words), as the Task brought them back
    ending: Sequence[str]  # how it ended, and what the reader need not do any more
    course: Mapping[str, datetime]  # event -> when it last happened


def letter_resources(letter: Letter, id_: UUID, at: datetime) -> tuple[bytes, bytes]:
    """The Composition and the DocumentReference, both under this id."""
    return _composition(letter, id_, at), _reference(letter, id_, at)


def withdrawn_letter(letter: Letter, id_: UUID, version: int, at: datetime) -> tuple[bytes, bytes]:
    """The next version of both when the step was a mistake: nobody may act on it, and nothing of it is repeated."""
    empty = letter._replace(
        answers=(), ending=("Deze brief is ingetrokken: de stap was een vergissing.",), course={}
    )
    composition, reference = (json.read(body) for body in letter_resources(empty, id_, at))
    for body in (composition, reference):
        body["meta"]["versionId"] = str(version)
    composition["status"] = "entered-in-error"
    reference["status"] = reference["docStatus"] = "entered-in-error"
    return json.write(composition), json.write(reference)


def letter_output(id_: UUID) -> dict[str, Any]:
    """What Task.output says of the letter."""
    return {"type": output_type(OUTPUT), "valueReference": {"reference": f"DocumentReference/{id_}"}}


def letter_of(task: Mapping[str, Any]) -> UUID | None:
    """The id of the letter that a Task brought back, if it did."""
    for output in task.get("output", ()):
        kind, _, id_ = output.get("valueReference", {}).get("reference", "").partition("/")
        if output.get("type") == output_type(OUTPUT) and kind == "DocumentReference":
            return UUID(id_)
    return None


def _composition(letter: Letter, id_: UUID, at: datetime) -> bytes:
    course = [
        f"{day_in_words(moment.astimezone(AMSTERDAM).date())}: {event}"
        for event, moment in sorted(letter.course.items(), key=lambda each: each[1])
    ]
    sections = [
        _section("Antwoord", [f"{name.capitalize()}: {text}" for name, text in letter.answers]),
        _section("Hoe het afliep", letter.ending),
        _section("Verloop", course),
    ]
    return json.write(
        {
            **ours("Composition", id_, 1, at),
            "language": "nl",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"},
            "status": "final",
            "type": CONSULT_NOTE,
            "subject": {"reference": letter.patient},
            "date": instant(at),
            "author": [_party(letter.author, letter.author_name)],
            "title": letter.title,
            "custodian": _party(letter.author, letter.author_name),
            "event": [{"period": {"end": instant(at)}, "detail": [{"reference": letter.request}]}],
            "section": [section for section in sections if section],
        }
    )


def _section(title: str, lines: Sequence[str]) -> dict[str, Any] | None:
    if not lines:
        return None
    paragraphs = "".join(
        f"<p>{escape(line)}</p>" for text in lines for line in text.splitlines() if line.strip()
    )
    div = f'<div xmlns="{XHTML}">{paragraphs}</div>'
    return {"title": title, "text": {"status": "generated", "div": div}}


def _reference(letter: Letter, id_: UUID, at: datetime) -> bytes:
    """Both forms of the letter: the one that every system shows, and the one that it can read."""
    return json.write(
        {
            **ours("DocumentReference", id_, 1, at),
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"}],
            "status": "current",
            "docStatus": "final",
            "type": CONSULT_NOTE,
            "subject": {"reference": letter.patient},
            "date": instant(at),
            "author": [_party(letter.author, letter.author_name)],
            "custodian": _party(letter.author, letter.author_name),
            "description": letter.title,
            "content": [
                {"attachment": _attachment("application/pdf", f"Binary/{id_}", letter.title)},
                {
                    "attachment": _attachment(
                        "application/fhir+json", f"Composition/{id_}/$document", letter.title
                    )
                },
            ],
            "context": {"related": [{"reference": letter.task}, {"reference": letter.request}]},
        }
    )


def _attachment(content_type: str, url: str, title: str) -> dict[str, str]:
    return {"contentType": content_type, "language": "nl", "url": url, "title": title}


def _party(reference: str, name: str) -> dict[str, str]:
    return {"reference": reference, "display": name}
