"""A pathway version in use: its file, its flat steps, its rules and its machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from msgspec.structs import replace
from transitions import Machine

from ketenzorg.pathway.calendar import Amount, parse
from ketenzorg.pathway.clocks import Clock, begun_by, clock_of_control, clock_of_norm
from ketenzorg.pathway.deciding import Rules, ready
from ketenzorg.pathway.definition import CANONICAL, Norm, PathwayFile, Variant, Watch
from ketenzorg.pathway.flatten import Step, flatten, resolve, sides_begun, still_to_come
from ketenzorg.pathway.machine import build

REASON_SYSTEM = f"{CANONICAL}/CodeSystem/reason"  # of the codes in [codes]


@dataclass(frozen=True, eq=False, repr=False)
class Pathway:
    """One version of one pathway; what is not here stands in `file`."""

    file: PathwayFile
    steps: Mapping[str, Step]
    norms: tuple[tuple[Norm, Amount], ...]
    rules: Rules
    watches: tuple[tuple[Watch, frozenset[str]], ...]  # with the steps in which it runs
    to_come: Mapping[str, frozenset[str]]  # step -> events that can still happen
    variants: Mapping[str, "Pathway"] = field(default_factory=dict)  # by CBS code

    def __repr__(self) -> str:
        """Short: the whole file would be hundreds of kilobytes in a trace or a failing test."""
        return f"Pathway({self.name} {self.version})"

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
    def machine(self) -> Machine:
        """Made when the first step is taken: making those of every version would be most of the start."""
        return build(self.steps.values(), self.file.begins, self.file.counts)

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
    def all_clocks(self) -> tuple[Clock, ...]:
        """Every norm, then every control; made, as the machine, when the first is asked for."""
        norms = (clock_of_norm(norm, amount, self.side_of(norm)) for norm, amount in self.norms)
        return (*norms, *(clock_of_control(watch, over) for watch, over in self.watches))

    @cached_property
    def clocks(self) -> Mapping[str, tuple[Clock, ...]]:
        """Step -> the norms and controls that can run there."""
        return {
            name: tuple(each for each in self.all_clocks if each.runs_in(step, self.to_come[name]))
            for name, step in self.steps.items()
        }

    def clock(self, name: str) -> Clock:
        """The norm or control of this name."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, Clock]:
        return {clock.name: clock for clock in self.all_clocks}

    @cached_property
    def begun_by(self) -> Mapping[str, frozenset[str]]:
        """Event -> the clocks that it begins anew."""
        return begun_by(self.all_clocks)

    def side_of(self, norm: Norm) -> str:
        """The side step of which this norm is the limit; empty for most."""
        about = sides_begun(self.file)
        return next((about[event] for event in norm.from_ if event in about), "")

    @cached_property
    def events(self) -> tuple[str, ...]:
        """Every event, in the order of the file, the starting one first."""
        moves = (move.event for step in self.steps.values() for move in step.moves)
        starts = (step.begins_with for step in self.file.steps.values() if step.begins_with)
        return tuple(dict.fromkeys((self.file.begins_with, *starts, *moves)))

    @cached_property
    def hand_overs(self) -> frozenset[str]:
        """The events that begin a hand-over: those of a traject, and those that hand on."""
        moves = (move for step in self.steps.values() for move in step.moves)
        starts = (self.begins_with(step) for step in self.file.steps)
        return frozenset((*starts, *(move.event for move in moves if move.new_task)))

    def begins_with(self, step: str) -> str:
        """The event that starts a traject in this step."""
        return self.file.steps[step].begins_with or self.file.begins_with

    def role_of(self, part: str) -> str:
        """The role that is requester or owner of the first hand-over."""
        first = self.steps[self.file.begins]
        return first.performer if part == "owner" else first.requester

    def in_municipality(self, code: str) -> "Pathway":
        """The same version with what is set otherwise for the inhabitants of this municipality."""
        return self.variants.get(code, self)


def compile_pathway(file: PathwayFile) -> Pathway:
    """Makes a checked file ready for use, with its municipal variants."""
    variants = {variant.municipality: _compiled(_varied(file, variant), {}) for variant in file.variant}
    return _compiled(file, variants)


def _compiled(file: PathwayFile, variants: Mapping[str, Pathway]) -> Pathway:
    steps = flatten(file)
    norms = tuple((norm, parse(norm.max)) for norm in file.norm)
    watches = tuple((watch, frozenset(resolve(watch.over, file))) for watch in file.watch)
    return Pathway(file, steps, norms, ready(file), watches, still_to_come(steps), variants)


def _varied(file: PathwayFile, variant: Variant) -> PathwayFile:
    values = {
        name: replace(value, value=variant.values.get(name, value.value))
        for name, value in file.values.items()
    }
    counts = {
        name: replace(count, limit=variant.limits.get(name, count.limit))
        for name, count in file.counts.items()
    }
    roles = {
        name: replace(role, kinds=variant.kinds.get(name, role.kinds)) for name, role in file.roles.items()
    }
    norms = [replace(norm, max=variant.norm.get(norm.name, norm.max)) for norm in file.norm]
    return replace(file, values=values, counts=counts, roles=roles, norm=norms)


class Catalogue:
    """Every version of every pathway, checked."""

    def __init__(self, pathways: Iterable[Pathway]) -> None:
        self._versions = {(pathway.name, pathway.version): pathway for pathway in pathways}
        by_age = sorted(self._versions.values(), key=lambda pathway: age(pathway.version))
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
        return sorted(self._versions.values(), key=lambda pathway: (pathway.name, age(pathway.version)))


def age(version: str) -> tuple[int, ...]:
    """Versions in the order in which they came."""
    return tuple(int(part) for part in version.split("."))
