"""Resources made by chance: fhir.resources (R4B) gives our verdict, or the difference is explained in a list."""

import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from any_resource import KINDS, any_resource, written
from ketenzorg.errors import Issue, KetenzorgError
from ketenzorg.fhir.decode import decode, encode

LIST = tomllib.loads((Path(__file__).parent / "second_opinion.toml").read_text(encoding="utf-8"))
EXPLAINED = [re.compile(each["says"]) for each in LIST["difference"]]
NO_OPINION = {each["error"] for each in LIST["no_opinion"]}
EACH = 30  # resources of a type; the same at every run


@pytest.mark.parametrize("kind", KINDS)
def test_every_difference_is_explained_and_what_is_taken_comes_back_with_its_digits(kind: str) -> None:
    for n in range(EACH):
        body = written(any_resource(kind, Random(f"{kind} {n}")))
        ours = _we_say(body)
        theirs = _they_say(kind, body)
        if not ours:
            assert not theirs or theirs in NO_OPINION, body
            assert _exact(encode(decode(body))) == _exact(body)
        elif not theirs:
            for issue in ours:
                assert any(each.search(issue.en) for each in EXPLAINED), (issue, body)


def _we_say(body: bytes) -> tuple[Issue, ...]:
    try:
        decode(body)
    except KetenzorgError as error:
        return error.issues
    return ()


def _they_say(kind: str, body: bytes) -> str:
    """The error that it raises, empty for none."""
    try:
        get_fhir_model_class(kind).model_validate_json(body)
    except (ValidationError, AttributeError, TypeError) as error:
        return type(error).__name__
    return ""


def _exact(body: bytes) -> Any:
    return json.loads(body, parse_float=_digits, parse_int=_digits)


def _digits(text: str) -> tuple[str, Any]:
    return "number", Decimal(text).as_tuple()


def test_every_explanation_is_needed_and_half_of_the_resources_are_fine() -> None:
    said = [
        _we_say(written(any_resource(kind, Random(f"{kind} {n}")))) for kind in KINDS for n in range(EACH)
    ]
    texts = "\n".join({issue.en for issues in said for issue in issues})
    assert [each.pattern for each in EXPLAINED if not each.search(texts)] == []
    assert sum(not issues for issues in said) > len(said) / 3
