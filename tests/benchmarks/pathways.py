"""Prints what one referral costs each pathway in this process: reading its answers, criteria, one step, and the load.

    python tests/benchmarks/pathways.py [rounds]

Processor time, so that others on the machine count less; the least and the median of the rounds, in microseconds.
`answers` and `criteria` are of the example in fhir_profiles, where there is one; the garbage collector is set as in
`serve`.
"""

# ruff: noqa: T201

import gc
import json
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import process_time

from ketenzorg.cli.serve import YOUNG_OBJECTS
from ketenzorg.pathway import engine
from ketenzorg.pathway.answered import Code, Day, Quantity, Readings, Text, Value, YesNo
from ketenzorg.pathway.answers import read_answers
from ketenzorg.pathway.criteria import screen
from ketenzorg.pathway.load import load, survey
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.pathway.measured import bounds
from ketenzorg.pathway.questions import DataElement
from ketenzorg.pathway.systems import codings
from ketenzorg.pathway.units import MEASURES

PATHWAYS = Path(__file__).parents[2] / "pathways"
EXAMPLES = Path(__file__).parents[2] / "fhir_profiles" / "examples"
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
EACH = 20  # calls a round


def everything(pathway: Pathway) -> dict[str, Value]:
    """Every question answered, each series with three values."""
    return {name: _answer(element) for name, element in pathway.file.data.items()}


def _answer(element: DataElement) -> Value:
    match element.type:
        case "ja-nee":
            return YesNo("nee")
        case "code":
            return Code(next(iter(element.codes)))
        case "datum":
            return Day(date(1950, 1, 31))
        case "tekst":
            return Text("Tekst.")
        case "getal":
            return _readings(element)


def _readings(element: DataElement) -> Readings:
    low, high = bounds(element)
    number = round((low * 9 + high) / 10)
    known = MEASURES[element.measure].codes
    code = next((c for named in element.coded_as for c in codings(named) if element.unit in known[c]), None)
    days = (1, 90, 400) if element.series else (1,)
    moments = ((NOW - timedelta(days=each)).date().isoformat() for each in days)
    return Readings(tuple(Quantity(Decimal(number), element.unit, at, code) for at in moments))


def timed(call: Callable[[], object], rounds: int) -> str:
    """The least and the median of what one call costs."""
    took = []
    for _ in range(rounds):
        begun = process_time()
        for _ in range(EACH):
            call()
        took.append((process_time() - begun) / EACH * 1_000_000)
    return f"{min(took):7.0f} {statistics.median(took):7.0f}"


def of_example(pathway: Pathway, rounds: int) -> tuple[str, str]:
    """What reading the answers of the example costs, and its criteria."""
    path = EXAMPLES / f"referral-{pathway.name}.json"
    if not path.exists():
        return "", ""
    resources = [entry["resource"] for entry in json.loads(path.read_bytes())["entry"]]
    given = read_answers(pathway, resources)
    read = timed(lambda: read_answers(pathway, resources), rounds)
    return read, timed(lambda: screen(pathway, given, NOW), rounds)


def one_step(pathway: Pathway) -> Callable[[], object]:
    """The first thing that can happen, with what is due after it."""
    state = engine.start(pathway, NOW)
    option = next(option for option in engine.allowed(pathway, state) if not option.needs)

    def step() -> object:
        taken = engine.advance(pathway, state, option.event, option.by[0], NOW, {})
        return engine.due(pathway, taken.state)

    return step


def main(rounds: int) -> None:
    """One line a pathway, then the load."""
    begun = process_time()
    catalogue = load(PATHWAYS)
    first = process_time() - begun
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    print(f"{'':34}{'answers':>16}{'criteria':>16}{'all answered':>16}{'nothing':>16}{'one step':>16}")
    for name in catalogue.names:
        pathway, given = catalogue.current(name), everything(catalogue.current(name))
        columns = (
            *of_example(pathway, rounds),
            timed(lambda: screen(pathway, given, NOW), rounds),  # noqa: B023  called at once
            timed(lambda: screen(pathway, {}, NOW), rounds),  # noqa: B023
            timed(one_step(pathway), rounds),
        )
        print(f"{name:34}" + "".join(f"{column:>16}" for column in columns))
    begun = process_time()
    survey(PATHWAYS)
    print(
        f"load with all checks: {first * 1000:.0f} ms the first time, {(process_time() - begun) * 1000:.0f} ms again"
    )
    proven = PATHWAYS.parent / ".pathways-benchmark"
    try:
        load(PATHWAYS, proven)
        begun = process_time()
        load(PATHWAYS, proven)
        print(f"load of what was proved before: {(process_time() - begun) * 1000:.0f} ms")
    finally:
        proven.unlink(missing_ok=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 40)
