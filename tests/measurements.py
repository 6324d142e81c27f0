"""Series of measurements for tests: `run(("2026-03-01", "80"), …)`."""

from datetime import UTC, datetime
from decimal import Decimal

from ketenzorg.pathway.series import Measurement, Series, moment, series

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def measured(at: str, value: str, formula: str = "CKD-EPI 2009", place: str = "") -> Measurement:
    return Measurement(moment(at), Decimal(value), formula, place or f"op {at}")


def run(*values: tuple[str, ...]) -> Series:
    return series((measured(*value) for value in values), NOW)
