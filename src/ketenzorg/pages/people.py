"""The people of the sandbox: who may sign in, for which organisation. Real sign-in takes their place."""

from pathlib import Path

import msgspec

from ketenzorg.access.tokens import Caller
from ketenzorg.coordination.world import Trail, Visit
from ketenzorg.pathway.findings import Finding, PathwayErrors, unknown, with_lines
from ketenzorg.pathway.region import Organisation, Region
from ketenzorg.pathway.region_file import SandboxFile
from ketenzorg.pathway.shape import read


class Person(msgspec.Struct, frozen=True):
    """Somebody who works with the pages."""

    key: str
    name: str
    organisation: Organisation
    role: str
    region: str

    def visit(self, trail: Trail) -> Visit:
        """What they ask, they ask for their organisation, on their own responsibility."""
        caller = Caller(
            client=f"pagina:{self.key}",
            organisation=self.organisation.id,
            role=self.organisation.kind,
            scopes=frozenset(),
            region=self.region,
            user=self.key,
        )
        return Visit(caller, trail)


class People:
    """Everybody who may sign in, by key."""

    def __init__(self, people: dict[str, Person]) -> None:
        self._people = people

    def get(self, key: str) -> Person | None:
        return self._people.get(key)

    def with_role(self, *roles: str) -> list[Person]:
        """Those with one of these roles, in the order of the file."""
        return [person for person in self._people.values() if person.role in roles]

    def colleagues(self, person: Person) -> list[Person]:
        """Everybody of the same organisation and role, the person too."""
        return [
            each
            for each in self._people.values()
            if (each.organisation.id, each.role) == (person.organisation.id, person.role)
        ]


def load_people(pathways: Path, region: Region) -> People:
    """Reads them from region/<name>-sandbox.toml; PathwayErrors names an organisation that is not there."""
    path = pathways / "region" / f"{region.code}-sandbox.toml"
    text = path.read_text("utf-8")
    file, findings = read(text, SandboxFile)
    organisations = region.file.organisations
    people = file.people if file else {}
    findings += [
        unknown(
            ("people", key, "organisation"), "organisatie", "organisation", each.organisation, organisations
        )
        for key, each in people.items()
        if each.organisation not in organisations
    ]
    if findings:
        raise PathwayErrors(_placed(findings, path, text))
    return People(
        {
            key: Person(key, each.name, organisations[each.organisation], each.role, region.code)
            for key, each in people.items()
        }
    )


def _placed(findings: list[Finding], path: Path, text: str) -> list[Finding]:
    return with_lines(findings, f"region/{path.name}", text)
