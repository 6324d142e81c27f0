"""What a Task says of a practice that is not connected: that a letter must go, and stays said in what follows."""

from collections.abc import Mapping
from typing import Any

from ketenzorg.referral.codes import output_type

OUTPUT = "andere huisarts"  # of Task.output, and of Task.input of the hand-overs that follow


def by_letter(task: Mapping[str, Any]) -> str:
    """Why a letter must go; empty: it need not."""
    here = (*task.get("input", ()), *task.get("output", ()))
    return next((each["valueString"] for each in here if each.get("type") == output_type(OUTPUT)), "")
