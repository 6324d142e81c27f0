"""Tries every pattern of ketenzorg on texts that make a bad one run away; the system ends us when it takes too long.

Run by test_holes_of_the_edge.py in a process of its own: a pattern that has run away cannot be stopped from inside.
"""

import ast
import importlib
import pkgutil
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import ketenzorg

CPU_S = 10  # for one pattern on all texts; one that takes the square of the length already takes longer
LENGTH = 20_000
PIECES = (
    "a", "A", "0", " ", "-", ".", "/", "\\", '"', ",", "=", "é", "\n", "a ", "a.", "a-", "0-", "0.", "a/", "\\u0000",
    "\\ud800", "a,", "a=", "a; ", "{}", "[[", "T00:", "0a", "aA0-", "2026-01-01", "ketenzorg", "Bearer ", "<div>",
    "&amp;", "999990019", "0 0 0", "a@a.", "%00", "a|", "urn:uuid:",
)  # fmt: skip
USES = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer")


def modules() -> Iterator[ModuleType]:
    """All of ours, but what runs when it is read."""
    for found in pkgutil.walk_packages(ketenzorg.__path__, "ketenzorg."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def patterns() -> set[tuple[Any, str]]:
    """Each that a module made when it was read or writes where it is used, with each use that a module makes of it."""
    written = {
        (re.compile(node.args[0].value), node.func.attr)
        for module in modules()
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == "re"
        and node.func.attr in USES
        and isinstance(node.args[0], ast.Constant)
    }
    return written | {
        (pattern, use)
        for module in modules()
        for name, pattern in vars(module).items()
        if isinstance(pattern, re.Pattern)
        for use in re.findall(rf"\b{name}\.({'|'.join(USES)})\(", Path(str(module.__file__)).read_text())
    }


def tried(pattern: Any, use: str) -> None:
    for piece in PIECES:
        for text in (piece * (LENGTH // len(piece)), f"{piece * (LENGTH // len(piece))}!"):
            subject = text if isinstance(pattern.pattern, str) else text.encode()
            found = pattern.sub(subject[:0], subject) if use == "sub" else getattr(pattern, use)(subject)
            if use == "finditer":
                list(found)


if __name__ == "__main__":
    uses = patterns()
    for each in uses:
        sys.stdout.write(f"{each[0].pattern!r} {each[1]}\n")
        sys.stdout.flush()
        used = resource.getrusage(resource.RUSAGE_SELF)
        end = int(used.ru_utime + used.ru_stime) + CPU_S
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
        tried(*each)
    sys.stdout.write(f"{len(uses)}\n")
