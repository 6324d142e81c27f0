"""How the tests are shared out: over the cores where there are many, each worker with a PostgreSQL of its own."""

from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from databases import given_server

MANY = 10  # files; below it, starting workers takes longer than they win
ONE_PLACE = (
    "tests/access/",
    "tests/browser/",
    "tests/crash/",
)  # what is slow to make, or kills, is on one worker


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """None is: as many as there are cores. A server that was given has one set of roles, so one process takes it."""
    option = config.option
    if given_server() or option.keyword or option.markexpr or option.lf or option.collectonly:
        return 0
    files = sum(
        1 for each in config.args for _ in Path(config.invocation_params.dir, each).rglob("test_*.py")
    )
    return None if files >= MANY else 0


class ByFile(LoadScopeScheduling):
    """A file stays whole, and so does each of ONE_PLACE: what its tests share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in ONE_PLACE if nodeid.startswith(place)), nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    return ByFile(config, log)
