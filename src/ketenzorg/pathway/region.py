"""The region: municipalities, organisations and what they do for whom; pathways/region/<name>.toml."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec

from ketenzorg.pathway.findings import Finding, PathwayErrors, Place, unknown, with_lines
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region_file import Centre, Client, Organisation, RegionFile, SandboxFile
from ketenzorg.pathway.shape import read

__all__ = ["Organisation", "Region", "check_region", "load_region"]

KM_PER_DEGREE = 111.2  # of latitude
_T = TypeVar("_T", bound=msgspec.Struct)


@dataclass(frozen=True, eq=False)
class Region:
    """The organisations of a region, by id, by number and by what they do for whom."""

    file: RegionFile
    clients: dict[str, Client]

    @property
    def code(self) -> str:
        return self.file.code

    @property
    def municipalities(self) -> dict[str, str]:
        return self.file.municipalities

    @property
    def organisations(self) -> list[Organisation]:
        return list(self.file.organisations.values())

    @cached_property
    def _by_id(self) -> dict[UUID, Organisation]:
        return {organisation.id: organisation for organisation in self.organisations}

    @cached_property
    def _by_identifier(self) -> dict[tuple[str, str], Organisation]:
        return {number: item for item in self.organisations for number in item.identifiers}

    def by_id(self, organisation: UUID) -> Organisation | None:
        return self._by_id.get(organisation)

    def by_identifier(self, system: str, value: str) -> Organisation | None:
        return self._by_identifier.get((system, value))

    def of_client(self, client: str) -> Organisation:
        """The organisation that a sandbox client speaks for; KeyError when there is no such client."""
        return self.file.organisations[self.clients[client].organisation]

    def municipality_code(self, text: str) -> str | None:
        """The CBS code of a municipality that is named by its code or its name (Patient.address.district)."""
        wanted = text.strip().casefold()
        return next(
            (
                code
                for code, name in self.municipalities.items()
                if wanted in {code.casefold(), name.casefold()}
            ),
            None,
        )

    @cached_property
    def _fitting(self) -> dict[tuple[Pathway, str, str, str], list[Organisation]]:
        return {}

    def candidates(
        self, pathway: Pathway, role: str, municipality: str, capability: str = ""
    ) -> list[Organisation]:
        """Who may play this role for somebody who lives in this municipality (CBS code), nearest first.

        `capability`: what a site must be able to do; empty: what the role says.
        """
        asked = (pathway, role, municipality, capability)
        if asked not in self._fitting:
            self._fitting[asked] = _candidates(self.file, *asked)
        return self._fitting[asked]

    def anywhere(
        self, pathway: Pathway, role: str, municipality: str, capability: str = ""
    ) -> list[Organisation]:
        """Who may play this role at all, nearest to this municipality first: also who does not serve it."""
        able = [each for each in self.organisations if _fits(each, pathway, role, capability)]
        wanted = capability or pathway.file.roles[role].capability
        return sorted(able, key=lambda each: _far(_kilometres(self.file, each, municipality, wanted)))

    def fits(self, organisation: Organisation, pathway: Pathway, role: str, capability: str = "") -> bool:
        """Whether an organisation can play this role, wherever the patient lives."""
        return _fits(organisation, pathway, role, capability)

    def kilometres(self, organisation: Organisation, municipality: str, capability: str = "") -> int | None:
        """As the crow flies, from the main town of a municipality to the nearest site; None: not known."""
        return _kilometres(self.file, organisation, municipality, capability)


def load_region(folder: Path, name: str, catalogue: Catalogue) -> Region:
    """Reads region/<name>.toml and region/<name>-sandbox.toml; PathwayErrors with every finding of both."""
    file, findings = _read(folder / "region" / f"{name}.toml", RegionFile)
    sandbox, more = _read(folder / "region" / f"{name}-sandbox.toml", SandboxFile)
    findings += more
    if file is not None and sandbox is not None:
        findings += [
            *_placed(check_region(file, catalogue), folder / "region" / f"{name}.toml"),
            *_placed(_check_clients(sandbox, file), folder / "region" / f"{name}-sandbox.toml"),
        ]
    if file is None or sandbox is None or findings:
        raise PathwayErrors(findings)
    return Region(file, sandbox.clients)


def check_region(file: RegionFile, catalogue: Catalogue) -> list[Finding]:
    """Every mistake: names that exist, numbers that are unique, each municipality served for each pathway."""
    return [
        *_check_names(file, catalogue),
        *_check_unique(file),
        *_check_served(file, catalogue),
    ]


def _read(path: Path, kind: type[_T]) -> tuple[_T | None, list[Finding]]:
    if not path.is_file():
        nl, en = "bestand ontbreekt.", "file is missing."
        return None, [Finding((), nl, en, file=f"region/{path.name}")]
    file, findings = read(path.read_text("utf-8"), kind)
    return file, _placed(findings, path)


def _placed(findings: Iterable[Finding], path: Path) -> list[Finding]:
    return with_lines(findings, f"region/{path.name}", path.read_text("utf-8"))


def _candidates(
    file: RegionFile, pathway: Pathway, role: str, municipality: str, capability: str = ""
) -> list[Organisation]:
    wanted = capability or pathway.file.roles[role].capability
    able = [
        item
        for item in file.organisations.values()
        if item.takes(municipality, wanted) and _fits(item, pathway, role, wanted)
    ]
    return sorted(able, key=lambda item: _far(_kilometres(file, item, municipality, wanted)))


def _fits(item: Organisation, pathway: Pathway, role: str, capability: str) -> bool:
    wanted = capability or pathway.file.roles[role].capability
    return (
        item.kind in pathway.file.roles[role].kinds
        # A practice refers, and takes its own patients back, on every pathway.
        and (pathway.name in item.pathways or role == pathway.role_of("requester"))
        and (not wanted or bool(item.able(wanted)))
    )


def _far(kilometres: int | None) -> float:
    return math.inf if kilometres is None else kilometres


def _kilometres(file: RegionFile, item: Organisation, municipality: str, capability: str) -> int | None:
    home = file.centres.get(municipality)
    sites = item.able(capability) if capability else item.sites
    places = [site.municipality for site in sites] or [item.municipality]
    known = [file.centres[place] for place in places if place in file.centres]
    return min((_between(home, place) for place in known), default=None) if home else None


def _between(one: Centre, other: Centre) -> int:
    """On a flat map: within a province that is right to the kilometre."""
    north = (one.north - other.north) * KM_PER_DEGREE
    east = (one.east - other.east) * KM_PER_DEGREE * math.cos(math.radians((one.north + other.north) / 2))
    return round(math.hypot(north, east))


def _check_names(file: RegionFile, catalogue: Catalogue) -> Iterator[Finding]:
    for key, item in file.organisations.items():
        place: Place = ("organisations", key)
        served = [code for site in item.sites for each in site.capabilities for code in each.serves]
        for code in [*item.serves, *served, *([item.municipality] if item.municipality else [])]:
            if code not in file.municipalities:
                yield unknown((*place, "serves"), "gemeente", "municipality", code, file.municipalities)
        for name in item.pathways:
            if name not in catalogue.names:
                yield unknown((*place, "pathways"), "zorgpad", "pathway", name, catalogue.names)
        for index, site in enumerate(item.sites):
            at: Place = (*place, "sites", index)
            if site.municipality and site.municipality not in file.municipalities:
                found = unknown(at, "gemeente", "municipality", site.municipality, file.municipalities)
                yield found
            sources = [capability.source for capability in site.capabilities]
            for source in [*sources, *([site.source] if site.source else [])]:
                if source.key and source.key not in file.sources:
                    yield unknown(at, "bron", "source", source.key, file.sources)


def _check_unique(file: RegionFile) -> Iterator[Finding]:
    seen: set[object] = set()
    for key, item in file.organisations.items():
        for number in (item.id, *item.identifiers):
            if number in seen:
                nl, en = "id, URA of AGB is al van een ander.", "id, URA or AGB is somebody else's."
                yield Finding(("organisations", key), nl, en)
            seen.add(number)


def _check_served(file: RegionFile, catalogue: Catalogue) -> Iterator[Finding]:
    """A referral from any municipality finds somebody, wherever its traject begins."""
    for name in catalogue.names:
        pathway = catalogue.current(name)
        for role, capability in _first_owners(pathway):
            can_nl, can_en = (f" met ‘{capability}’", f" with '{capability}'") if capability else ("", "")
            left = [
                f"{municipality} ({code})"
                for code, municipality in file.municipalities.items()
                if not _candidates(file, pathway, role, code, capability)
            ]
            if left:
                where = ", ".join(left)
                yield Finding(
                    ("municipalities",),
                    f"geen {role}{can_nl} neemt ‘{name}’ aan voor {where}. Zet bij een organisatie het zorgpad onder "
                    "`pathways`, en de gemeente onder `serves`.",
                    f"no {role}{can_en} takes '{name}' for {where}. At an organisation, put the pathway under "
                    "`pathways` and the municipality under `serves`.",
                )


def _first_owners(pathway: Pathway) -> list[tuple[str, str]]:
    """The roles, with what they must be able to do, to which a referral may go; its own house is always there."""
    rows = [row.then for table in pathway.file.table for row in table.rows if row.then.to]
    starts = [(pathway.file.begins, ""), *((then.to, then.capability) for then in rows)]
    found = [(pathway.steps[step], capability) for step, capability in starts]
    return list(
        dict.fromkeys(
            (step.performer, capability or pathway.file.roles[step.performer].capability)
            for step, capability in found
            if step.performer != step.requester
        )
    )


def _check_clients(sandbox: SandboxFile, file: RegionFile) -> Iterator[Finding]:
    for name, client in sandbox.clients.items():
        if client.organisation not in file.organisations:
            place: Place = ("clients", name, "organisation")
            yield unknown(place, "organisatie", "organisation", client.organisation, file.organisations)
