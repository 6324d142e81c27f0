"""The elements of each R4 type as the structs have them: name, shape, kind; for the walks over a resource."""

import re
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

from ketenzorg.fhir import r4
from ketenzorg.fhir.r4_tables import CHOICES


class Element(NamedTuple):
    """One member of a JSON object of a FHIR type."""

    name: str  # in JSON
    attribute: str  # in the struct
    place: str  # in FHIRPath: `value.ofType(Quantity)` for valueQuantity, `birthDate` for _birthDate
    many: bool
    needed: bool
    companion: bool
    kind: type[msgspec.Struct] | None  # None: a primitive or any resource
    resource: bool
    primitive: Any  # the annotation of the primitive
    codes: tuple[str, ...]  # the allowed codes
    title: str  # the FHIR name of the type
    pattern: re.Pattern[str] | None


RESOURCES: dict[str, type[msgspec.Struct]] = {kind.__name__: kind for kind in get_args(r4.Resource)}


@cache
def of(kind: type[msgspec.Struct]) -> dict[str, Element]:
    """By JSON name, in the order of the definition."""
    stems = {name: stem for stem, (_, names) in CHOICES.get(kind.__name__, {}).items() for name in names}
    found = {}
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        inner, many = _unwrap(field.type)
        codes: tuple[str, ...] = get_args(inner) if get_origin(inner) is Literal else ()
        meta = get_args(inner)[1] if get_origin(inner) is Annotated else None
        is_primitive = not _is_struct(inner) and inner != r4.Resource
        found[name] = Element(
            name,
            attribute=field.name,
            place=_place(name.removeprefix("_"), stems),
            many=many,
            needed=field.required,
            companion=name.startswith("_"),
            kind=inner if _is_struct(inner) else None,
            resource=inner == r4.Resource,
            primitive=inner if is_primitive else None,
            codes=codes,
            title="code" if codes else meta.title if meta else getattr(inner, "__name__", "").lower(),
            pattern=re.compile(meta.pattern) if meta and meta.pattern else None,
        )
    return found


def _place(name: str, stems: dict[str, str]) -> str:
    stem = stems.get(name)
    if stem is None:
        return name
    kind = name[len(stem) :]
    return f"{stem}.ofType({kind if _is_struct(vars(r4).get(kind)) else kind[0].lower() + kind[1:]})"


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    """The type inside `X | None`, `list[X]` and `list[X | None]`."""
    many = False
    while True:
        if get_origin(annotation) in {Union, UnionType}:
            rest = [part for part in get_args(annotation) if part is not type(None)]
            if len(rest) > 1:
                return r4.Resource, many  # the only union that the module has
            annotation = rest[0]
        elif get_origin(annotation) is list:
            annotation, many = get_args(annotation)[0], True
        else:
            return annotation, many
