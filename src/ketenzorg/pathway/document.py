"""A pathway as a document: parts with a list or a table, for Markdown and for a page alike."""

from collections.abc import Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """A heading with a list or a table below it."""

    heading: str
    items: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    before: str = ""  # a sentence above the table

    @property
    def is_empty(self) -> bool:
        return not (self.items or self.rows)


def bullets(heading: str, lines: list[str]) -> Part:
    """A list."""
    return Part(heading, items=lines)


def table(heading: str, columns: list[str], rows: list[list[str]], before: str = "") -> Part:
    """A table."""
    return Part(heading, columns=columns, rows=rows, before=before)


def as_markdown(part: Part) -> str:
    """The part as Markdown."""
    lines = [f"## {part.heading}", "", *([part.before, ""] if part.before else [])]
    lines += [f"- {item}" for item in part.items]
    if part.rows:
        lines += [_row(part.columns), _row(["---"] * len(part.columns)), *map(_row, part.rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
