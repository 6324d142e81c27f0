"""What a region file says: one frozen struct per table of pathways/region/<name>.toml."""

from datetime import time
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from ketenzorg.pathway.definition import Source

URA = "http://fhir.nl/fhir/NamingSystem/ura"
AGB = "http://fhir.nl/fhir/NamingSystem/agb-z"

Kind = Literal[
    "huisartspraktijk", "welzijnsorganisatie", "ziekenhuis", "apotheek",
    "optometrie", "fysiotherapie", "trombosedienst", "ketenteam",
]  # fmt: skip
# A referral to these may rest on presumed consent (NEN 7517); to any other kind it takes explicit consent.
CARE_PROVIDERS = frozenset(
    {"huisartspraktijk", "ziekenhuis", "apotheek", "optometrie", "fysiotherapie", "trombosedienst"},
)
Day = Literal["ma", "di", "wo", "do", "vr", "za", "zo"]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the region file: an unknown word in it is a mistake."""


class Open(_Table, frozen=True):
    """When something is open: on these days between these times (Amsterdam), or always."""

    days: list[Day]
    from_: time = msgspec.field(name="from")
    to: time


class Capability(_Table, frozen=True):
    """What a site can do, and when; without `open` the hours are not known."""

    name: str
    source: Source
    always: bool = False
    serves: list[str] = msgspec.field(default_factory=list)  # where it takes more than its organisation does
    open: list[Open] = msgspec.field(default_factory=list)


class Site(_Table, frozen=True):
    """A place where an organisation works."""

    name: str
    place: str
    municipality: str = ""  # CBS code; empty outside the region
    source: Source | None = None
    capabilities: list[Capability] = msgspec.field(default_factory=list)
    note: str = ""


class Organisation(_Table, frozen=True):
    """Who takes part; `serves` are the municipalities whose inhabitants it takes.

    `phone`: which the other parties call when a message has not arrived.
    """

    id: UUID
    name: str
    kind: Kind
    ura: str
    agb: str = ""
    phone: Annotated[str, msgspec.Meta(pattern=r"^[0-9+][0-9 -]{5,18}[0-9]$")] | None = None
    municipality: str = ""
    serves: list[str] = msgspec.field(default_factory=list)
    pathways: list[str] = msgspec.field(default_factory=list)
    sites: list[Site] = msgspec.field(default_factory=list)

    def able(self, capability: str) -> list[Site]:
        """The sites that can do this."""
        return [site for site in self.sites if any(each.name == capability for each in site.capabilities)]

    def takes(self, municipality: str, capability: str) -> bool:
        """Whether it takes the inhabitants of this municipality, for this capability or for everything."""
        return municipality in self.serves or any(
            each.name == capability and municipality in each.serves
            for site in self.sites
            for each in site.capabilities
        )

    @property
    def identifiers(self) -> tuple[tuple[str, str], ...]:
        """(system, value) of each number that names this organisation."""
        return tuple((system, value) for system, value in ((URA, self.ura), (AGB, self.agb)) if value)


class Client(_Table, frozen=True):
    """A program of the sandbox that may ask for tokens, for one organisation."""

    organisation: str  # key in [organisations]
    scopes: list[str]
    note: str = ""
    validation: Literal["strict", "liberal"] = "strict"

    @property
    def is_liberal(self) -> bool:
        """Whether what breaks a rule on which nothing depends is kept, with a warning."""
        return self.validation == "liberal"


class Person(_Table, frozen=True):
    """Somebody of the sandbox who may sign in to the pages: nobody real."""

    name: str
    organisation: str  # key in [organisations]
    role: Literal["coach", "praktijk", "ketenteam"]


class Centre(_Table, frozen=True):
    """Where a municipality is: its main town, in degrees north and east."""

    town: str
    north: float
    east: float


class Limit(_Table, frozen=True):
    """After how many minutes a person hears that a message has not arrived."""

    minutes: Annotated[int, msgspec.Meta(ge=1, le=7 * 24 * 60)]
    source: Source


class Undelivered(_Table, frozen=True):
    """The same for each priority: http://hl7.org/fhir/request-priority."""

    stat: Limit
    asap: Limit
    urgent: Limit
    routine: Limit


class RegionFile(_Table, frozen=True):
    """The region, as its file says it."""

    code: str
    name: str
    municipalities: dict[str, str]  # CBS code -> name
    centres: dict[str, Centre]  # CBS code -> where; for distances
    organisations: dict[str, Organisation]
    sources: dict[str, str]
    undelivered: Undelivered


class SandboxFile(_Table, frozen=True):
    """The clients and the people of the demo; no secrets in it."""

    clients: dict[str, Client]
    people: dict[str, Person] = msgspec.field(default_factory=dict)
