"""The numbers of a bench: what each means, as a table for people and as JSON for programs."""

import math
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ketenzorg.cli.bench.payloads import ENTRIES, body

GOAL_CONCURRENCY = 8
GOAL_PER_S = 500
GOAL_RATIO = 0.35
GOAL_START_S = 2.0
GOAL_RSS_MIB = 200
NOT_MEASURED = "not measured"  # there is no /proc here
COLUMNS = (
    "concurrency", "referrals/s", "p50 ms", "p95 ms", "p99 ms", "errors", "app CPU µs", "db CPU µs", "rows",
    "WAL bytes", "limit/s", "ratio", "other cores", "stolen",
)  # fmt: skip


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One concurrency. CPU, rows and WAL are per acknowledged referral."""

    referrals_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int
    app_cpu_us: float | None
    database_cpu_us: float | None
    other_cores: float | None  # that other programs kept busy: much of it makes a run worth repeating
    stolen_cores: float | None  # that the hypervisor gave to other machines meanwhile
    rows: float
    wal_bytes: float
    limit_per_s: float
    limit_by: str
    ratio: float
    rss_mib: float | None  # of the largest API process
    referrals_before: int  # that the API processes had handled together when rss_mib was read
    processes: int
    start_s: float  # of serve, on a migrated database


class Verified(msgspec.Struct, frozen=True):
    """What is stored, held against what was acknowledged."""

    acknowledged: int
    stored: int  # ServiceRequests
    lost: int  # acknowledged, but not stored
    doubled: int  # identifiers that are stored more than once
    unexplained: int  # stored, but neither acknowledged nor left without an answer

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.unexplained)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed.

    >>> percentile([3.0, 1.0, 2.0, 4.0], 0.5), percentile([3.0, 1.0], 0.99), percentile([], 0.5)
    (2.0, 3.0, 0.0)
    """
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def as_json(measured: Mapping[int, Measured]) -> str:
    """One object keyed by concurrency."""
    return msgspec.json.encode({str(key): value for key, value in measured.items()}).decode()


def as_text(measured: Mapping[int, Measured], verified: Verified) -> str:
    """The whole report."""
    return "\n".join([*_heading(), *_table(measured), "", *_notes(measured), *told(verified)])


def told(verified: Verified) -> list[str]:
    """The verdict on what is stored."""
    if verified.holds:
        return [
            f"Verified: {verified.stored} ServiceRequests stored, {verified.acknowledged} acknowledged, none twice."
        ]
    return [
        f"WRONG: of {verified.acknowledged} acknowledged {verified.lost} are lost; {verified.doubled} identifiers "
        f"are stored more than once; {verified.unexplained} are stored that nobody posted. "
        f"ServiceRequests: {verified.stored}."
    ]


def _heading() -> list[str]:
    return [
        f"A referral is a bundle of {len(body(0))} bytes with {ENTRIES} entries: Patient, ServiceRequest, Task, "
        "Condition, 2 Observations,",
        "and the QuestionnaireResponse without which the pathway sends nothing. Each has its own identifier, name "
        "and BSN.",
        "",
    ]


def _table(measured: Mapping[int, Measured]) -> Iterator[str]:
    lines = [list(COLUMNS)] + [_cells(concurrency, each) for concurrency, each in measured.items()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))


def _cells(concurrency: int, each: Measured) -> list[str]:
    return [
        str(concurrency),
        f"{each.referrals_per_s:.0f}",
        *(f"{value:.1f}" for value in (each.p50_ms, each.p95_ms, each.p99_ms)),
        str(each.errors),
        *(NOT_MEASURED if cpu is None else f"{cpu:.0f}" for cpu in (each.app_cpu_us, each.database_cpu_us)),
        f"{each.rows:.1f}",
        f"{each.wal_bytes:.0f}",
        f"{each.limit_per_s:.0f}",
        f"{each.ratio:.2f}",
        *(
            NOT_MEASURED if cores is None else f"{cores:.1f}"
            for cores in (each.other_cores, each.stolen_cores)
        ),
    ]


def _notes(measured: Mapping[int, Measured]) -> Iterator[str]:
    last = list(measured.values())[-1]
    rss = NOT_MEASURED if last.rss_mib is None else f"{last.rss_mib:.0f} MiB"
    yield f"Limit: the same rows as one prepared statement per referral, by {last.limit_by}; only the ids differ."
    yield (
        f"serve --processes {last.processes}: ready after {last.start_s:.2f} s (goal < {GOAL_START_S:.0f}); "
        f"RSS of the largest process after {last.referrals_before} referrals in all: {rss} (goal < {GOAL_RSS_MIB})."
    )
    goal = measured.get(GOAL_CONCURRENCY)
    if goal is not None:
        reached = goal.ratio >= GOAL_RATIO and goal.referrals_per_s >= GOAL_PER_S and not goal.errors
        yield (
            f"Goal at concurrency {GOAL_CONCURRENCY}: ratio {GOAL_RATIO}, {GOAL_PER_S}/s, no errors: "
            f"{'reached' if reached else 'not reached'}."
        )
