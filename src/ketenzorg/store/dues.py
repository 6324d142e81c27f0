"""The clock of every running traject: which norms and controls run, and telling of those that are past."""

from datetime import datetime

import msgspec


class Running(msgspec.Struct, frozen=True):
    """A norm or control that runs, as the database keeps it."""

    norm: str
    began: datetime
    within: str
    at: datetime
    look: datetime  # when somebody must be told first
