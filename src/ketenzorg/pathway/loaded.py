"""A pathway version in use: its file, its flat steps and its machine, made once at load."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from transitions import Machine

from ketenzorg.pathway.calendar import Amount, parse
from ketenzorg.pathway.definition import CANONICAL, Norm, PathwayFile
from ketenzorg.pathway.flatten import Step, flatten
from ketenzorg.pathway.machine import build

REASON_SYSTEM = f"{CANONICAL}/CodeSystem/reason"  # of the codes in [codes]


@dataclass(frozen=True, eq=False)
class Pathway:
    """One version of one pathway; what is not here stands in `file`."""

    file: PathwayFile
    steps: Mapping[str, Step]
    machine: Machine
    norms: tuple[tuple[Norm, Amount], ...] = field(repr=False)

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def title(self) -> str:
        return self.file.title

    @property
    def version(self) -> str:
        return self.file.version

    @property
    def adopted(self) -> bool:
        return self.file.adopted

    @cached_property
    def url(self) -> str:
        """The canonical without a version."""
        return f"{CANONICAL}/PlanDefinition/{self.name}"

    @cached_property
    def canonical(self) -> str:
        """What a traject keeps: CarePlan.instantiatesCanonical."""
        return f"{self.url}|{self.version}"

    @cached_property
    def questionnaire(self) -> str:
        """The questionnaire whose linkIds are the names of the data elements."""
        return f"{CANONICAL}/Questionnaire/{self.name}|{self.version}"

    @cached_property
    def events(self) -> tuple[str, ...]:
        """Every event, in the order of the file, the starting one first."""
        moves = (move.event for step in self.steps.values() for move in step.moves)
        return tuple(dict.fromkeys((self.file.begins_with, *moves)))

    def role_of(self, part: str) -> str:
        """The role that is requester or owner of the first hand-over."""
        if part == "owner":
            return self.steps[self.file.begins].owner
        return next(name for name, role in self.file.roles.items() if role.part == part)


def compile_pathway(file: PathwayFile) -> Pathway:
    """Makes a checked file ready for use."""
    steps = flatten(file)
    machine = build(steps.values(), file.begins, file.counts)
    return Pathway(file, steps, machine, tuple((norm, parse(norm.max)) for norm in file.norm))


class Catalogue:
    """Every version of every pathway, checked."""

    def __init__(self, pathways: Iterable[Pathway]) -> None:
        self._versions = {(pathway.name, pathway.version): pathway for pathway in pathways}
        by_age = sorted(self._versions.values(), key=lambda pathway: _age(pathway.version))
        self._current = {pathway.name: pathway for pathway in by_age}
        self._by_code = {
            (coding.system, coding.code): pathway
            for pathway in self._current.values()
            for coding in pathway.file.service
        }
        self.names = sorted(self._current)

    def current(self, name: str) -> Pathway:
        """The newest version; KeyError when there is no such pathway."""
        return self._current[name]

    def version(self, name: str, version: str) -> Pathway:
        """The version that a traject started with; KeyError when unknown."""
        return self._versions[name, version]

    def by_canonical(self, canonical: str) -> Pathway | None:
        """The pathway that a PlanDefinition canonical names, with or without |version."""
        url, _, version = canonical.partition("|")
        base, _, name = url.rpartition("/")
        if base != f"{CANONICAL}/PlanDefinition":
            return None
        return self._versions.get((name, version)) if version else self._current.get(name)

    def by_code(self, codings: Iterable[tuple[str, str]]) -> Pathway | None:
        """The pathway that one of these (system, code) of ServiceRequest.code asks for."""
        return next((self._by_code[coding] for coding in codings if coding in self._by_code), None)

    def versions(self) -> list[Pathway]:
        """All versions of all pathways, by name and age."""
        return sorted(self._versions.values(), key=lambda pathway: (pathway.name, _age(pathway.version)))


def _age(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
