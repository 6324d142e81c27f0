"""`ketenzorg crash`: kill, pause and cut the service while it works, and see that nothing of it is lost.

The driver is this process, which nobody kills; it knows only what it was answered. It works in a folder of its own,
that is removed, unless something broke.
"""

import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from ketenzorg.cli.crash.report import as_text
from ketenzorg.cli.crash.run import Outcome, Plan, run

ASKED_TO_STOP = 130


def crash(*, seconds: float, seed: int) -> int:
    """Run, print, and say by the exit code whether everything held."""
    folder = Path(tempfile.mkdtemp(prefix="ketenzorg-crash-"))
    _say(f"{seconds:g} s of kills, seed {seed}; what happens is written in {folder}")
    outcome = None
    try:
        outcome = asyncio.run(_until_asked_to_stop(Plan(seconds=seconds, seed=seed), folder))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise SystemExit(ASKED_TO_STOP) from None
    finally:
        if outcome is None or not outcome.broken:
            shutil.rmtree(folder)
    sys.stdout.write(as_text(outcome.truth, outcome.heard, outcome.restarts, outcome.verdicts) + "\n")
    return 1 if outcome.broken else 0


async def _until_asked_to_stop(plan: Plan, folder: Path) -> Outcome:
    """SIGTERM ends it as Ctrl-C does: whatever was started ends with us."""
    running = asyncio.ensure_future(run(plan, folder))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await running


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
