"""Names the answers that came and count for nothing, so that nobody is told that he did not answer.

The answer itself is not repeated: it may hold anything; nor is a linkId that looks like no name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from ketenzorg.errors import Issue
from ketenzorg.pathway.answered import Value, YesNo
from ketenzorg.pathway.answers import READERS, YES_NO_CODES, Answer, Resource, asks_for, collect
from ketenzorg.pathway.definition import DataElement
from ketenzorg.pathway.loaded import Pathway

SAYABLE = re.compile(r"(?!.*[0-9]{9})[A-Za-z0-9][A-Za-z0-9_./-]{0,63}\Z")


def unread(pathway: Pathway, resources: Iterable[Resource], answers: Mapping[str, Value]) -> list[Issue]:
    """Each question that was answered and is not among the answers, with what would have been one."""
    given: dict[str, list[Answer]] = {}
    for each in resources:
        if asks_for(pathway, each) and each.get("status") != "entered-in-error":
            collect(each, given, "")
    data = pathway.file.data
    return [
        issue for name in given if name not in answers for issue in _why(name, given[name], data.get(name))
    ]


def _why(name: str, given: list[Answer], element: DataElement | None) -> Iterator[Issue]:
    if element is None:
        nl, en = "deze vraag kent dit zorgpad niet.", "this pathway has no such question."
        yield Issue(nl, en, (name if SAYABLE.match(name) else "?",), "not-supported")
    elif all(READERS[element.type](answer, element) for answer in given):
        nl, en = "er staan verschillende antwoorden: kies er een.", "the answers differ: choose one."
        yield Issue(nl, en, (name,), "conflict")
    elif not all(_says_unknown(answer) for answer in given):
        nl, en = _wanted(element)
        yield Issue(
            f"dit antwoord lezen wij niet; wel: {nl}.", f"we cannot read this; give {en}.", (name,), "value"
        )


def _says_unknown(answer: Answer) -> bool:
    said = answer[0]
    word = said.get("valueCoding", {}).get("code") or str(said.get("valueString", "")).strip().lower()
    return YES_NO_CODES.get(word) == YesNo("onbekend")


def _wanted(element: DataElement) -> tuple[str, str]:
    codes = ", ".join(element.codes)
    return {
        "ja-nee": ("ja of nee (valueBoolean), of de code onbekend", "valueBoolean, or the code onbekend"),
        "getal": (f"valueQuantity met eenheid, zoals {element.unit}", f"valueQuantity, as in {element.unit}"),
        "code": (f"valueCoding met code {codes}", f"valueCoding with code {codes}"),
        "datum": ("valueDate", "valueDate"),
        "tekst": ("valueString", "valueString"),
    }[element.type]
