"""The query part of a search, read into clauses: what is not understood is said, never guessed.

https://hl7.org/fhir/R4/search.html
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import msgspec

from ketenzorg.access.personal_numbers import BSN_SYSTEMS, is_bsn, token_of
from ketenzorg.api.search_along import read_along
from ketenzorg.api.search_clauses import Clauses
from ketenzorg.api.search_numbers import IDENTIFIER
from ketenzorg.api.search_values import (
    DEFAULT_COUNT,
    MAX_COUNT,
    Wrong,
    read_count,
    read_date,
    read_id,
    read_order,
    read_place,
    read_token,
    read_values,
    wrong_parameter,
)
from ketenzorg.coordination.reading.gathering import DATED
from ketenzorg.coordination.reading.wanted import (
    UPDATED,
    Brings,
    Chain,
    Clause,
    Has,
    Order,
    Place,
    TypedClause,
    Wanted,
)
from ketenzorg.coordination.world import World
from ketenzorg.errors import BadRequest, Issue, NotFound
from ketenzorg.fhir.search_in_body import DECLARED, ORGANIZATION, has_rows
from ketenzorg.fhir.search_parameters import Parameter
from ketenzorg.store.query import DateClause, Query, ReferenceClause, TokenClause

MAX_PARAMETERS = 20
MAX_LENGTH = 500  # characters of one value
NAME = re.compile(r"[A-Za-z_][A-Za-z_:.-]{0,80}\Z")  # what comes back of a parameter: it may hold anything
MAX_DEPTH = 2  # of chains and _has
MAX_OTHERS = 3  # chains and _has of one search
MAX_ALONG = 10
CONTROLS = frozenset(
    {"_count", "_id", "_cursor", "_lastUpdated", "_include", "_include:iterate", "_revinclude",
     "_revinclude:iterate", "_sort", "_total"}
)  # fmt: skip


class Asked(NamedTuple):
    """A search as it was understood."""

    wanted: Wanted
    kept: list[tuple[str, str]]  # for the self link
    hidden: list[tuple[str, str]]  # what no link may hold, with tokens for the numbers: for the record
    ignored: tuple[str, ...]


def check_searchable(kind: str) -> None:
    """Raise NotFound for a type that cannot be searched."""
    if kind not in DECLARED:
        raise NotFound(
            Issue(
                nl=f"Op dit type kan niet worden gezocht; wel op: {', '.join(DECLARED)}.",
                en=f"This type cannot be searched; these can: {', '.join(DECLARED)}.",
                code="not-supported",
            ),
        )


def read_query(
    kind: str, pairs: Iterable[tuple[str, str]], world: World, base_url: str, *, strict: bool
) -> Asked:
    """Raises BadRequest with every parameter that is wrong."""
    reader = _Reader(kind, world, f"{base_url}/fhir/")
    pairs = list(pairs)
    if len(pairs) > MAX_PARAMETERS:
        raise BadRequest(
            wrong_parameter(
                "", f"hoogstens {MAX_PARAMETERS} parameters.", f"at most {MAX_PARAMETERS} parameters."
            )
        )
    for name, value in pairs:
        reader.take(name, value)
    wanted = reader.wanted()
    if strict:
        reader.issues += [
            wrong_parameter(name, "deze parameter kennen we niet.", "no such parameter.")
            for name in reader.ignored
        ]
    if reader.issues:
        raise BadRequest(*reader.issues)
    return Asked(wanted, reader.kept, reader.hidden, tuple(reader.ignored))


class _Reader:
    def __init__(self, kind: str, world: World, base: str, depth: int = 0) -> None:
        self._kind = kind
        self._world = world
        self._base = base
        self._depth = depth
        self._declared = DECLARED[kind]
        self._clauses = Clauses(world.region, world.now, base)
        self._tokens: list[TokenClause] = []
        self._references: list[ReferenceClause] = []
        self._dates: list[DateClause] = []
        self._rest: list[Clause] = []
        self._chains: list[Chain] = []
        self._has: list[Has] = []
        self._ids: tuple[UUID, ...] | None = None
        self._count = DEFAULT_COUNT
        self._total = False
        self._sort = self._cursor = ""
        self._brings: list[Brings] = []
        self.kept: list[tuple[str, str]] = []
        self.hidden: list[tuple[str, str]] = []
        self.ignored: list[str] = []
        self.issues: list[Issue] = []

    def wanted(self) -> Wanted:
        """All of it; what is wrong with the whole is kept as a mistake."""
        order = self._order()
        query = Query(
            type=self._kind,
            tokens=tuple(self._tokens),
            references=tuple(self._references),
            dates=tuple(self._dates),
            ids=self._ids,
            count=self._count or MAX_COUNT,
        )
        return Wanted(
            query=query,
            rest=tuple(self._rest),
            chains=tuple(self._chains),
            has=tuple(self._has),
            order=order,
            place=self._place(order),
            brings=tuple(self._brings),
            total=self._total or not self._count,
            nothing_else=not self._count,
        )

    def _order(self) -> tuple[Order, ...]:
        # Who follows changes, or asks from when, gets them in that order, as far as rows are kept in it.
        asked = [each.param or UPDATED for each in self._dates]
        kept = [each for each in (UPDATED, DATED.get(self._kind)) if each in asked]
        if kept and not self._sort:
            return (Order(kept[0], down=False),)
        dates = [name for name, each in self._declared.items() if each.kind == "date"]
        try:
            return read_order(self._sort, dates) if self._sort else ()
        except KeyError:
            self.ignored.append("_sort")
            self.kept = [each for each in self.kept if each[0] != "_sort"]
            return ()

    def _place(self, order: tuple[Order, ...]) -> Place | None:
        try:
            return read_place(self._cursor, order) if self._cursor else None
        except (Wrong, OverflowError) as wrong:
            nl, en = (
                wrong.args if isinstance(wrong, Wrong) else ("buiten de tijd.", "outside the bounds of time.")
            )
            self.issues.append(wrong_parameter("_cursor", nl, en))
            return None

    def take(self, name: str, value: str) -> None:
        """One parameter; a mistake is kept for the end."""
        try:
            if len(value) > MAX_LENGTH or "\0" in value:
                raise Wrong(f"hoogstens {MAX_LENGTH} tekens.", f"at most {MAX_LENGTH} characters.")
            hidden = len(self.hidden)
            if not self.read(name, value):
                self.ignored.append(name if NAME.match(name) else "?")
            elif name != "_cursor" and len(self.hidden) == hidden:
                self.kept.append((name, value))
        except Wrong as wrong:
            known = NAME.match(name) and (self._knows(name) or name in CONTROLS)
            self.issues.append(wrong_parameter(name if known else "", *wrong.args))

    def _knows(self, name: str) -> bool:
        return re.split("[.:]", name, maxsplit=1)[0] in {*self._declared, "_has", "_count", "_id", UPDATED}

    def read(self, name: str, value: str) -> bool:
        """Whether this parameter is known. Raises Wrong."""
        if name.startswith("_has:"):
            return self._that_refer(name, value)
        reference, dot, rest = name.partition(".")
        parameter, _, modifier = reference.partition(":")
        if dot:
            return parameter in self._declared and self._chain(
                self._declared[parameter], modifier, rest, name, value
            )
        if name == IDENTIFIER in self._declared and self._by_number(name, value):
            return True
        if parameter in self._declared:
            self._take_clause(self._clauses.read(self._declared[parameter], modifier, value))
            return True
        return self._control(name, value)

    def _take_clause(self, clause: Clause) -> None:
        if isinstance(clause, TypedClause):  # its values are what it is found by
            self._take_clause(TokenClause(clause.param, tuple((None, value) for *_, value in clause.one_of)))
        rows = has_rows(self._kind, clause.param)
        if rows and isinstance(clause, TokenClause):
            self._tokens.append(clause)
        elif rows and isinstance(clause, ReferenceClause):
            self._references.append(clause)
        elif rows and isinstance(clause, DateClause):
            self._dates.append(clause)
        else:
            self._rest.append(clause)

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
                tokens.append(f"bsn:{token_of(code, self._world.keys)}")
        if tokens:
            self._take_clause(msgspec.structs.replace(clause, numbers=tuple(tokens)))
            self.hidden.append((name, ",".join(token or "bsn:" for token in tokens)))
        return bool(tokens)

    def _chain(self, parameter: Parameter, kind: str, rest: str, name: str, value: str) -> bool:
        """What the resource that it refers to must be. https://hl7.org/fhir/R4/search.html#chaining"""
        if parameter.kind != "reference":
            return False
        kind = kind or parameter.target or (ORGANIZATION if parameter.name in ("owner", "requester") else "")
        if kind not in DECLARED:
            raise Wrong(
                f"noem het type, zoals {parameter.name}:ServiceRequest.{rest}.",
                f"name the type, like {parameter.name}:ServiceRequest.{rest}.",
            )
        other = self._other(kind, rest, name, value)
        self._chains += [Chain(parameter.name, other)] if other else []
        return other is not None

    def _that_refer(self, name: str, value: str) -> bool:
        """What must refer to it. https://hl7.org/fhir/R4/search.html#has"""
        _, kind, param, rest = [*name.split(":", 3), "", "", ""][:4]
        parameter = DECLARED.get(kind, {}).get(param)
        if parameter is None or parameter.kind != "reference" or not rest:
            raise Wrong("zoals _has:Task:focus:status.", "like _has:Task:focus:status.")
        other = self._other(kind, rest, name, value)
        self._has += [Has(param, other)] if other else []
        return other is not None

    def _other(self, kind: str, rest: str, name: str, value: str) -> Wanted | None:
        """What others must be; None for what cannot be asked of them."""
        if self._depth == MAX_DEPTH or len(self._chains) + len(self._has) == MAX_OTHERS:
            raise Wrong(
                f"hoogstens {MAX_OTHERS} ketens, van {MAX_DEPTH} diep.",
                f"at most {MAX_OTHERS} chains, {MAX_DEPTH} deep.",
            )
        other = _Reader(kind, self._world, self._base, self._depth + 1)
        if rest in CONTROLS - {"_id", UPDATED} or not other.read(rest, value):
            return None
        self.hidden += [(name, told) for _, told in other.hidden]
        return other.wanted()

    def _control(self, name: str, value: str) -> bool:
        match name:
            case "_count":
                self._count = read_count(value, least=0)
            case "_id":
                asked = frozenset(read_id(text) for text in read_values(value))
                self._ids = tuple(asked if self._ids is None else asked.intersection(self._ids))
            case "_cursor":
                self._cursor = value
            case "_lastUpdated":
                self._dates.append(
                    DateClause("", tuple(read_date(text, self._world.now()) for text in read_values(value)))
                )
            case "_include" | "_include:iterate" | "_revinclude" | "_revinclude:iterate":
                if len(self._brings) == MAX_ALONG:
                    raise Wrong(f"hoogstens {MAX_ALONG}.", f"at most {MAX_ALONG}.")
                self._brings.append(read_along(name, value, self._kind))
            case "_sort":
                self._sort = ",".join(filter(None, (self._sort, value)))
            case "_total":
                if value not in ("none", "accurate", "estimate"):
                    raise Wrong("none of accurate.", "none or accurate.")
                self._total = value != "none"
            case _:
                return False
        return True
