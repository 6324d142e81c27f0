"""Counting in tests: until everything is counted, also when another test's transaction holds the log up."""

from ketenzorg.throughput.rollup import Rollup


async def all_counted(rollup: Rollup) -> None:
    """Fold until nothing is left."""
    await rollup.fold_until_current()
    while await rollup.behind():
        await rollup.fold_until_current()
