"""Where profiles, code systems and value sets come from: our own, and the FHIR package cache folder.

The layout of that folder (name#version/package/*.json): https://confluence.hl7.org/display/FHIR/FHIR+Package+Cache
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from ketenzorg.fhir import json

Definition = Mapping[str, Any]
Codes = frozenset[tuple[str, str]]  # (system, code)

R4_BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
CONFORMANCE = frozenset({"StructureDefinition", "ValueSet", "CodeSystem"})
LARGEST_FILE = 8 * 1024 * 1024  # bytes
MOST_CODES = 50_000
_DEEPEST = 8  # value sets that include value sets


class _Head(msgspec.Struct):
    """What is read of a file to know whether it is asked for."""

    resourceType: str = ""  # noqa: N815 - the name in FHIR
    url: str = ""
    version: str = ""
    filename: str = ""  # in an index only


class _Index(msgspec.Struct):
    files: list[_Head] = []


_head = msgspec.json.Decoder(_Head)
_index = msgspec.json.Decoder(_Index)


class Definitions:
    """Definitions by canonical: ours before those of packages. Read when they are asked for, once."""

    def __init__(self, own: Callable[[], Iterable[Definition]], packages: Path) -> None:
        self._make_own = own
        self._packages = packages
        self._read: dict[Path, Definition | None] = {}
        self._expanded: dict[str, Codes | None] = {}

    @cached_property
    def own(self) -> dict[str, Definition]:
        """Ours, by canonical without version."""
        return {each["url"]: each for each in self._make_own()}

    def find(self, canonical: str) -> Definition | None:
        """The definition that a canonical names, with or without |version; None when it is not here."""
        url, _, version = canonical.partition("|")
        ours = self.own.get(url)
        if ours is not None and version in ("", ours.get("version")):
            return ours
        paths = self._files.get(url, {})
        if version:
            return self._load(paths[version]) if version in paths else None
        return self._load(list(paths.values())[-1]) if paths else None

    def codes(self, canonical: str) -> Codes | None:
        """Every code of a value set; None where it is not here or cannot be written out."""
        if canonical not in self._expanded:
            self._expanded[canonical] = self._expand(canonical, 0)
        return self._expanded[canonical]

    # ---- value sets -----------------------------------------------------------------------------------

    def _expand(self, canonical: str, deep: int) -> Codes | None:
        value_set = self.find(canonical)
        if value_set is None or value_set.get("resourceType") != "ValueSet" or deep > _DEEPEST:
            return None
        if "compose" not in value_set:
            contains = value_set.get("expansion", {}).get("contains")
            return frozenset(_contained(contains)) if contains else None
        compose = value_set["compose"]
        included = self._all(compose.get("include", ()), deep)
        excluded = self._all(compose.get("exclude", ()), deep)
        if included is None or excluded is None or len(included) > MOST_CODES:
            return None
        return included - excluded

    def _all(self, parts: Iterable[Definition], deep: int) -> Codes | None:
        """What any of the parts has; None when one of them cannot be written out."""
        found: set[tuple[str, str]] = set()
        for part in parts:
            codes = self._part(part, deep)
            if codes is None:
                return None
            found |= codes
        return frozenset(found)

    def _part(self, part: Definition, deep: int) -> Codes | None:
        if "filter" in part:
            return None
        sets = [self._expand(canonical, deep + 1) for canonical in part.get("valueSet", ())]
        if "system" in part:
            sets.append(self._of_system(part))
        if not sets or None in sets:
            return None
        first, *others = (each for each in sets if each is not None)
        return first.intersection(*others)

    def _of_system(self, part: Definition) -> Codes | None:
        system = part["system"]
        if "concept" in part:
            return frozenset((system, concept["code"]) for concept in part["concept"])
        code_system = self.find(system)
        if code_system is None or code_system.get("content") != "complete":
            return None
        return frozenset((system, code) for code in _all_codes(code_system.get("concept", ())))

    # ---- the package cache ----------------------------------------------------------------------------

    @cached_property
    def _files(self) -> dict[str, dict[str, Path]]:
        """URL -> version -> file, in the order of the packages: the last is the newest by name."""
        found: dict[str, dict[str, Path]] = {}
        for folder in sorted(self._packages.glob("*#*/package")) if self._packages.is_dir() else ():
            for head in _heads(folder):
                if head.url and head.resourceType in CONFORMANCE:
                    found.setdefault(head.url, {})[head.version] = folder / head.filename
        return found

    def _load(self, path: Path) -> Definition | None:
        if path not in self._read:
            self._read[path] = None
            with suppress(OSError, msgspec.DecodeError):
                if path.stat().st_size <= LARGEST_FILE:
                    self._read[path] = json.read(path.read_bytes())
        return self._read[path]


def _heads(folder: Path) -> Iterator[_Head]:
    """From the index of a package, else from its files."""
    with suppress(OSError, msgspec.DecodeError):
        for head in _index.decode((folder / ".index.json").read_bytes()).files:
            if "/" not in head.filename and (folder / head.filename).suffix == ".json":
                yield head
        return
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, msgspec.DecodeError):
            if path.stat().st_size <= LARGEST_FILE:
                head = _head.decode(path.read_bytes())
                head.filename = path.name
                yield head


def _contained(contains: Iterable[Definition]) -> Iterator[tuple[str, str]]:
    for each in contains:
        if "code" in each and not each.get("abstract"):
            yield each.get("system", ""), each["code"]
        yield from _contained(each.get("contains", ()))


def _all_codes(concepts: Iterable[Definition]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _all_codes(concept.get("concept", ()))


def is_coded(value: Any, codes: Codes) -> bool:
    """Whether a code, Coding, CodeableConcept or Quantity has one of these codes."""
    if isinstance(value, str):
        return any(code == value for _, code in codes)
    if not isinstance(value, dict):
        return False
    codings = value.get("coding", ()) if "coding" in value or "code" not in value else [value]
    return any((each.get("system", ""), each.get("code")) in codes for each in codings)
