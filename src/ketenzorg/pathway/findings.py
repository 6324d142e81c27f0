"""What is wrong in a pathway or region file: all of it at once, each with its file, place and line."""

import re
from collections.abc import Iterable, Sequence, Set
from difflib import get_close_matches
from typing import ClassVar

import msgspec

from ketenzorg.errors import Issue, KetenzorgError

Place = tuple[str | int, ...]


class Finding(msgspec.Struct, frozen=True):
    """One mistake, where it stands and what to do."""

    place: Place
    nl: str
    en: str
    file: str = ""
    line: int = 0  # 0: not known

    def where(self) -> str:
        """`0.1.0.toml:12: steps.plan.next[2].to`."""
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {path(self.place)}"


class PathwayErrors(KetenzorgError):
    """The pathways cannot be used as they are; carries every finding."""

    code: ClassVar[str] = "exception"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(
            *(Issue(nl=f"{item.where()}: {item.nl}", en=f"{item.where()}: {item.en}") for item in findings)
        )
        self.findings = tuple(findings)


def report(findings: Iterable[Finding]) -> str:
    """The findings as `ketenzorg pathway check` prints them, one a line, in both languages."""
    return "\n".join(f"{item.where()}: {item.nl} / {item.en}" for item in findings)


def path(place: Place) -> str:
    """A place as a person writes it: steps."contact zoeken".next[2].to."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if re.fullmatch(r"[\w-]+", part) else f'"{part}"')
    return text or "bestand"


def nearest(word: str, known: Iterable[str]) -> tuple[str, str]:
    """ " Bedoelt u ‘x’?" in Dutch and English, or nothing when no known word looks like it."""
    close = get_close_matches(word, list(known), n=1)
    return (f" Bedoelt u ‘{close[0]}’?", f" Did you mean '{close[0]}'?") if close else ("", "")


def unknown(place: Place, kind_nl: str, kind_en: str, word: str, known: Iterable[str]) -> Finding:
    """A name that is not defined anywhere, with the nearest one that is, or else with all that are."""
    known = sorted(known) if isinstance(known, Set) else list(known)
    nl, en = nearest(word, known)
    if known and not nl:
        nl, en = choose_from(known)
    adjective = "onbekend" if kind_nl in _NEUTER else "onbekende"
    return Finding(place, f"{adjective} {kind_nl} ‘{word}’.{nl}", f"unknown {kind_en} '{word}'.{en}")


def choose_from(known: Iterable[str]) -> tuple[str, str]:
    """ " Kies uit ‘x’, ‘y’." in Dutch and English."""
    one_of = ", ".join(f"‘{word}’" for word in known)
    return f" Kies uit {one_of}.", f" Choose from {one_of}."


_NEUTER = frozenset(
    {"antwoord", "blok", "codestelsel", "einde", "FHIR-element", "gegeven", "gegeven (erboven)"}
)  # het, not de


def with_lines(findings: Iterable[Finding], file: str, text: str) -> list[Finding]:
    """Adds the file, and the line where each place begins; what has its file already keeps it."""
    lines = text.splitlines()
    return [
        finding
        if finding.file
        else msgspec.structs.replace(finding, file=file, line=finding.line or _line(finding.place, lines))
        for finding in findings
    ]


def _line(place: Place, lines: list[str]) -> int:
    """The line of the longest part of the place that can be found: table, then key, then item of a list."""
    line, rest = _table(place, lines)
    for part in rest:
        found = _within(part, line, lines)
        if not found:
            break
        line = found
    return line


def _table(place: Place, lines: list[str]) -> tuple[int, Place]:
    """The header of the innermost table of the place, and what of the place lies inside it."""
    for length in range(len(place), 0, -1):
        head = place[:length]
        number = head[-1] if isinstance(head[-1], int) else None
        header = path(head if number is None else head[:-1])
        wanted = f"[{header}]" if number is None else f"[[{header}]]"
        hits = [index for index, line in enumerate(lines, 1) if line.split("#")[0].strip() == wanted]
        if len(hits) > (number or 0):
            return hits[number or 0], place[length:]
    return 0, place


def _within(part: str | int, start: int, lines: list[str]) -> int:
    """The line of a key, or of the nth item of a list, after `start` and before the next table."""
    seen = -1
    for index, line in enumerate(lines[start:], start + 1):
        text = line.strip()
        if text.startswith("[") and text.split("#")[0].strip().endswith("]"):
            return 0
        if isinstance(part, str) and re.match(rf'"?{re.escape(part)}"?\s*=', text):
            return index
        if isinstance(part, int) and text.startswith("{"):
            seen += 1
            if seen == part:
                return index
    return 0
