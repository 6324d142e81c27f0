"""Turns TOML into the structs of a file, with every wrong word and type collected, not only the first."""

import tomllib
import types
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from ketenzorg.pathway.definition import Source
from ketenzorg.pathway.findings import Finding, Place, choose_from, unknown

_T = TypeVar("_T", bound=msgspec.Struct)
_STAND_INS: dict[Any, Any] = {str: "", int: 0, bool: False, date: date.max, Source: {"status": "proposal"}}


def read(text: str, kind: type[_T]) -> tuple[_T | None, list[Finding]]:
    """The file as a struct, or none when its shape is too wrong to look further."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [Finding((), f"geen geldige TOML: {error}.", f"not valid TOML: {error}.")]
    try:
        return msgspec.convert(raw, kind), []
    except msgspec.ValidationError:
        return _with_findings(raw, kind)


def _with_findings(raw: dict[str, Any], kind: type[_T]) -> tuple[_T | None, list[Finding]]:
    """Looks at each place by itself, where the file as a whole has not the shape that it should have."""
    findings: list[Finding] = []
    cleaned = _clean(raw, kind, (), findings)
    try:
        return msgspec.convert(cleaned, kind), findings
    except msgspec.ValidationError:
        return None, findings  # each place was reported on the way down


def _clean(raw: Any, kind: Any, place: Place, findings: list[Finding]) -> Any:
    """Reports what is wrong below this place; leaves out unknown words, so that the rest can be checked."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _clean_table(raw, kind, place, findings)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is list and isinstance(raw, list):
        return [_clean(item, arguments[0], (*place, index), findings) for index, item in enumerate(raw)]
    if origin is dict and isinstance(raw, Mapping):
        return {key: _clean(value, arguments[1], (*place, key), findings) for key, value in raw.items()}
    if origin is types.UnionType and _struct_in(arguments) is not None and isinstance(raw, Mapping):
        return _clean_table(raw, _struct_in(arguments), place, findings)
    return _leaf(raw, kind, place, findings)


def _struct_in(arguments: tuple[Any, ...]) -> Any:
    structs = [kind for kind in arguments if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    return structs[0] if structs else None


def _clean_table(raw: Any, kind: Any, place: Place, findings: list[Finding]) -> Any:
    if not isinstance(raw, Mapping):
        findings.append(Finding(place, "hier hoort een tabel.", "a table is expected here."))
        return raw
    hints = get_type_hints(kind)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, field in fields.items():
        if field.required and name not in raw:
            findings.append(Finding((*place, name), f"‘{name}’ ontbreekt.", f"'{name}' is missing."))
    for name in raw:
        if name not in fields:
            findings.append(unknown((*place, name), "regel", "key", name, fields))
    kept = {
        name: _clean(raw[name], hints[field.name], (*place, name), findings)
        for name, field in fields.items()
        if name in raw
    }
    return _stand_ins(fields, hints, kept) | kept


def _stand_ins(
    fields: Mapping[str, Any], hints: Mapping[str, Any], kept: Mapping[str, Any]
) -> dict[str, Any]:
    """Something for each word that is missing, so that the rest of the file can still be looked at."""
    missing = [name for name, field in fields.items() if field.required and name not in kept]
    return {name: _STAND_INS[hints[name]] for name in missing if hints.get(name) in _STAND_INS}


def _leaf(raw: Any, kind: Any, place: Place, findings: list[Finding]) -> Any:
    """The value, or something in its stead that lets the rest of the file be looked at."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        choices = _choices(kind)
        findings.append(_not_of_the_kind(raw, choices, place, str(error)))
        return choices[0] if choices else _stand_in(kind, raw)


def _stand_in(kind: Any, raw: Any) -> Any:
    """What may be left out is left out."""
    return None if types.NoneType in get_args(kind) else _STAND_INS.get(kind, raw)


def _not_of_the_kind(raw: Any, choices: list[str], place: Place, error: str) -> Finding:
    if not choices:
        return Finding(place, f"verkeerde soort waarde: {error}.", f"wrong kind of value: {error}.")
    nl, en = choose_from(choices)
    return Finding(place, f"onbekende waarde ‘{raw}’.{nl}", f"unknown value '{raw}'.{en}")


def _choices(kind: Any) -> list[str]:
    """The words of a Literal, also inside `Literal | None`."""
    arguments = get_args(kind)
    nested = [word for item in arguments if not isinstance(item, str) for word in _choices(item)]
    return [word for word in arguments if isinstance(word, str)] + nested
