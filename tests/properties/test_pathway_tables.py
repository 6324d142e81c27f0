"""Decision tables, whatever is given: the quick look-up is what the cells say, and a proved table has its one row."""

from collections.abc import Mapping
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from content import CATALOGUE
from ketenzorg.pathway import cells
from ketenzorg.pathway.checking.questions import Ground, grounds
from ketenzorg.pathway.deciding import ReadyTable, look_up, numbers_of
from ketenzorg.pathway.facts import Choice, Number, Truth
from ketenzorg.pathway.loaded import Pathway

TABLES = [(pathway, each) for pathway in CATALOGUE.versions() for each in pathway.rules.tables]
UNIQUE = [(pathway, each) for pathway, each in TABLES if each.table.hit == "uniek"]
Fact = Number | Choice


@st.composite
def cases(
    draw: st.DrawFn, tables: list[tuple[Pathway, ReadyTable]]
) -> tuple[Pathway, ReadyTable, dict[str, Fact]]:
    """A table, and something for each of its inputs: known, known in part, or not at all."""
    pathway, each = draw(st.sampled_from(tables))
    known = grounds(pathway.file)
    return pathway, each, {name: draw(_fact(name, column.cuts, known[name])) for name, column in each.columns}


def _fact(name: str, cuts: list[Decimal], ground: Ground) -> st.SearchStrategy[Fact]:
    if ground.codes:
        some = st.lists(st.sampled_from(sorted(ground.codes)), min_size=1, unique=True)
        return some.map(lambda codes: Choice(tuple(codes), (name,)))
    near = [cut + step for cut in cuts for step in map(Decimal, ("-1", "-0.1", "0", "0.1", "1"))]
    numbers = sorted({ground.low, ground.high, *(one for one in near if ground.low <= one <= ground.high)})
    ends = st.tuples(st.sampled_from(numbers), st.sampled_from(numbers))
    exact = st.sampled_from(numbers).map(lambda number: Number.of(number, ground.unit))
    ranges = ends.map(lambda two: Number(min(two), max(two), ground.unit, (name,)))
    return st.one_of(exact, ranges, st.just(Number(ground.low, ground.high, ground.unit, (name,))))


@settings(max_examples=300)
@given(cases(TABLES))
def test_the_bits_say_what_the_cells_say(case: tuple[Pathway, ReadyTable, Mapping[str, Fact]]) -> None:
    """What each cell says of a fact by itself is the definition; the columns may only know more of ranges."""
    pathway, each, facts = case
    numbers = numbers_of(pathway.file.values)
    for name, column in each.columns:
        fact = facts[name]
        sure, may = (
            column.one_of(fact.possible) if isinstance(fact, Choice) else column.between(fact.low, fact.high)
        )
        for row, line in enumerate(each.table.rows):
            text = line.when.get(name)
            said = Truth(True, True) if text is None else cells.parse(text, numbers).holds(fact)
            here = Truth(bool(sure >> row & 1), bool(may >> row & 1))
            if fact.exact is not None or isinstance(fact, Choice):
                assert here == said, (each.table.name, row + 1, name, text, fact)
            else:
                assert (said.sure <= here.sure) and (here.may <= said.may), (
                    each.table.name,
                    row + 1,
                    name,
                    text,
                )


@settings(max_examples=300)
@given(cases(UNIQUE))
def test_a_proved_table_has_its_row(case: tuple[Pathway, ReadyTable, Mapping[str, Fact]]) -> None:
    """Also for what is known in part, which the proof leaves to reason: no more is unknown than when all is."""
    pathway, each, facts = case
    held, _ = look_up(each, facts)
    required = {name for name, ground in grounds(pathway.file).items() if ground.known}
    unknown = {name for name, fact in facts.items() if fact.exact is None}
    if not (unknown & required or (unknown and each.table.if_unknown) or each.table.otherwise):
        assert held.bit_count() == 1, (each.table.name, facts)
