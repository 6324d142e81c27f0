"""The query part of a search, read into clauses: what is not understood is said, never guessed.

https://hl7.org/fhir/R4/search.html
"""

import re
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.access.personal_numbers import BSN_SYSTEMS, is_bsn, token_of
from ketenzorg.api.search_numbers import IDENTIFIER
from ketenzorg.api.search_values import (
    DEFAULT_COUNT,
    NOBODY,
    Wrong,
    read_code,
    read_count,
    read_date,
    read_id,
    read_reference,
    read_token,
    read_values,
    read_yes_or_no,
    wrong_parameter,
)
from ketenzorg.coordination.world import World
from ketenzorg.errors import BadRequest, Issue, NotFound
from ketenzorg.fhir.search_parameters import PARAMETERS, Parameter
from ketenzorg.store.searching import DateClause, Query, ReferenceClause, TokenClause

MAX_PARAMETERS = 20
MAX_LENGTH = 500  # characters of one value
NAME = re.compile(r"[A-Za-z_][A-Za-z_:.-]{0,40}\Z")  # what comes back of a parameter: it may hold anything
CONTROLS = frozenset({"_count", "_id", "_cursor", "_lastUpdated", "_include"})
OWNER = "owner"  # :missing=true finds what is there to be claimed
ORGANISATIONS = frozenset({"owner", "requester", "performer"})  # what :identifier can look up


class Asked(NamedTuple):
    """A search as it was understood."""

    query: Query
    includes: tuple[str, ...]
    kept: list[tuple[str, str]]  # for the self link
    hidden: list[tuple[str, str]]  # what no link may hold, with tokens for the numbers: for the record
    ignored: tuple[str, ...]


def check_searchable(kind: str) -> None:
    """Raise NotFound for a type that cannot be searched."""
    if kind not in PARAMETERS:
        raise NotFound(
            Issue(
                nl=f"Op dit type kan niet worden gezocht; wel op: {', '.join(PARAMETERS)}.",
                en=f"This type cannot be searched; these can: {', '.join(PARAMETERS)}.",
                code="not-supported",
            ),
        )


def read_query(
    kind: str, pairs: Iterable[tuple[str, str]], world: World, base_url: str, *, strict: bool
) -> Asked:
    """Raises BadRequest with every parameter that is wrong."""
    reader = _Reader(kind, world, base_url)
    pairs = list(pairs)
    if len(pairs) > MAX_PARAMETERS:
        raise BadRequest(
            wrong_parameter(
                "", f"hoogstens {MAX_PARAMETERS} parameters.", f"at most {MAX_PARAMETERS} parameters."
            )
        )
    for name, value in pairs:
        reader.take(name, value)
    if strict:
        reader.issues += [
            wrong_parameter(name, "deze parameter kennen we niet.", "no such parameter.")
            for name in reader.ignored
        ]
    if reader.issues:
        raise BadRequest(*reader.issues)
    return Asked(reader.query(), tuple(reader.includes), reader.kept, reader.hidden, tuple(reader.ignored))


class _Reader:
    def __init__(self, kind: str, world: World, base_url: str) -> None:
        self._kind = kind
        self._base = f"{base_url}/fhir/"
        self._region = world.region
        self._keys = world.keys
        self._declared = {parameter.name: parameter for parameter in PARAMETERS[kind]}
        self._tokens: list[TokenClause] = []
        self._references: list[ReferenceClause] = []
        self._dates: list[DateClause] = []
        self._ids: tuple[UUID, ...] | None = None
        self._after: UUID | None = None
        self._count = DEFAULT_COUNT
        self.includes: list[str] = []
        self.kept: list[tuple[str, str]] = []
        self.hidden: list[tuple[str, str]] = []
        self.ignored: list[str] = []
        self.issues: list[Issue] = []

    def query(self) -> Query:
        """The clauses so far."""
        return Query(
            type=self._kind,
            tokens=tuple(self._tokens),
            references=tuple(self._references),
            dates=tuple(self._dates),
            ids=self._ids,
            after=self._after,
            count=self._count,
        )

    def take(self, name: str, value: str) -> None:
        """One parameter; a mistake is kept for the end."""
        parameter, _, modifier = name.partition(":")
        try:
            if len(value) > MAX_LENGTH or "\0" in value:
                raise Wrong(f"hoogstens {MAX_LENGTH} tekens.", f"at most {MAX_LENGTH} characters.")
            if name == IDENTIFIER in self._declared and self._by_number(name, value):
                return
            if parameter in self._declared:
                self._declared_parameter(self._declared[parameter], modifier, value)
            elif not self._control(name, value):
                self.ignored.append(name if NAME.match(name) else "?")
                return
        except Wrong as wrong:
            known = parameter in self._declared or parameter in CONTROLS
            self.issues.append(wrong_parameter(name if known and NAME.match(name) else "", *wrong.args))
            return
        if name != "_cursor":
            self.kept.append((name, value))

    def _by_number(self, name: str, value: str) -> bool:
        """Whether an identifier is, or may be, a personal number; what goes on record holds its token."""
        clause = TokenClause(name, tuple(map(read_token, read_values(value))))
        tokens: list[str | None] = []
        for system, code in clause.one_of:
            if code is None and system in BSN_SYSTEMS:
                tokens.append(None)
            elif code is not None and (system in BSN_SYSTEMS or (system is None and is_bsn(code))):
                if not is_bsn(code):
                    raise Wrong("dit is geen BSN.", "this is no personal number (BSN).")
                tokens.append(f"bsn:{token_of(code, self._keys)}")
        if tokens:
            self._tokens.append(msgspec.structs.replace(clause, numbers=tuple(tokens)))
            self.hidden.append((name, ",".join(token or "bsn:" for token in tokens)))
        return bool(tokens)

    def _control(self, name: str, value: str) -> bool:
        match name:
            case "_count":
                self._count = read_count(value)
            case "_id":
                asked = frozenset(read_id(text) for text in read_values(value))
                self._ids = tuple(asked if self._ids is None else asked.intersection(self._ids))
            case "_cursor":
                self._after = read_id(value)
                if self._after is NOBODY:
                    raise Wrong("neem het adres van ‘next’ over.", "take the address of 'next' as it is.")
            case "_lastUpdated":
                self._dates.append(DateClause("", tuple(read_date(text) for text in read_values(value))))
            case "_include":
                self.includes.append(self._include(value))
            case _:
                return False
        return True

    def _declared_parameter(self, parameter: Parameter, modifier: str, value: str) -> None:
        if parameter.kind == "token" and not modifier:
            bound = parameter.system
            read = partial(read_code, own_system=bound) if bound else read_token
            self._tokens.append(TokenClause(parameter.name, tuple(map(read, read_values(value)))))
        elif parameter.kind == "reference" and not modifier:
            targets = tuple(read_reference(text.removeprefix(self._base)) for text in read_values(value))
            self._references.append(ReferenceClause(parameter.name, targets))
        elif parameter.name in ORGANISATIONS and modifier == "identifier":
            organisations = tuple(self._organisation(text) for text in read_values(value))
            self._references.append(ReferenceClause(parameter.name, organisations))
        elif parameter.name == OWNER and modifier == "missing":
            self._references.append(ReferenceClause(OWNER, missing=read_yes_or_no(value)))
        elif parameter.kind == "date" and not modifier:
            self._dates.append(
                DateClause(parameter.name, tuple(read_date(text) for text in read_values(value)))
            )
        else:
            raise Wrong("deze modifier kennen we hier niet.", "this modifier is not supported here.")

    def _organisation(self, text: str) -> tuple[str, UUID]:
        system, _, value = text.partition("|")
        known = self._region.by_identifier(system, value)
        return "Organization", known.id if known else NOBODY

    def _include(self, value: str) -> str:
        kind, _, name = value.partition(":")
        name = name.partition(":")[0]
        parameter = self._declared.get(name)
        if kind != self._kind or parameter is None or parameter.kind != "reference":
            possible = ", ".join(
                f"{self._kind}:{each.name}" for each in self._declared.values() if each.kind == "reference"
            )
            raise Wrong(f"dit kan worden meegestuurd: {possible}.", f"these can be included: {possible}.")
        return name
