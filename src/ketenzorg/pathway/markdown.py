"""Lists and tables in Markdown."""


def bullets(heading: str, lines: list[str]) -> str:
    """A heading with a list below it; nothing when the list is empty."""
    return "\n".join([f"## {heading}", "", *(f"- {line}" for line in lines)]) if lines else ""


def table(heading: str, columns: list[str], rows: list[list[str]], before: str = "") -> str:
    """A heading with a table below it; nothing when the table is empty."""
    if not rows:
        return ""
    lines = [[_cell(text) for text in line] for line in (columns, ["---"] * len(columns), *rows)]
    text = [before, ""] if before else []
    return "\n".join([f"## {heading}", "", *text, *(f"| {' | '.join(line)} |" for line in lines)])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
