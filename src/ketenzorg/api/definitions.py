"""Our profiles, codes, plans and operations, to read and to find by url. Nobody stands in them: no audit line.

https://hl7.org/fhir/R4/conformance-module.html
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from ketenzorg.errors import BadRequest, Issue, NotFound
from ketenzorg.fhir import json

KINDS: Final = frozenset(
    {"StructureDefinition", "CodeSystem", "ValueSet", "PlanDefinition", "OperationDefinition"}
)
PARAMETERS: Final = {"_id": "token", "url": "uri", "version": "token"}
_OF: Final = {"_id": "id", "url": "url", "version": "version"}


class Published:
    """What we publish, by type and id."""

    def __init__(self, make: Callable[[], list[dict[str, Any]]]) -> None:
        self._make = make

    @cached_property
    def resources(self) -> list[dict[str, Any]]:
        """All of them; made when the first is asked for."""
        return self._make()

    def read(self, kind: str, id_: str) -> bytes:
        """One definition. Raises NotFound."""
        found = next((e for e in self.resources if (e["resourceType"], e["id"]) == (kind, id_)), None)
        if found is None:
            raise NotFound(Issue(nl=f"Deze {kind} is er niet.", en=f"No such {kind}."))
        return json.write(found)

    def search(self, kind: str, pairs: list[tuple[str, str]], base_url: str) -> bytes:
        """A searchset of what has all of these; one page, there are not many. Raises BadRequest."""
        unknown = [name for name, _ in pairs if name not in PARAMETERS]
        if unknown:
            listed = ", ".join(PARAMETERS)
            raise BadRequest(
                Issue(
                    nl=f"Hierop kan worden gezocht: {listed}.",
                    en=f"These can be searched on: {listed}.",
                    code="not-supported",
                )
            )
        found = [
            each
            for each in self.resources
            if each["resourceType"] == kind
            and all(each.get(_OF[name]) in value.split(",") for name, value in pairs)
        ]
        query = urlencode(pairs, safe="|,:/$")
        bundle = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": [{"relation": "self", "url": f"{base_url}/fhir/{kind}" + (f"?{query}" if query else "")}],
        }
        entries = [
            {
                "fullUrl": f"{base_url}/fhir/{kind}/{each['id']}",
                "resource": each,
                "search": {"mode": "match"},
            }
            for each in found
        ]
        return json.write(bundle | ({"entry": entries} if entries else {}))


def described(kind: str) -> dict[str, Any]:
    """For the CapabilityStatement."""
    return {
        "type": kind,
        "documentation": "What we publish of ourselves; read only.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [{"name": name, "type": type_} for name, type_ in PARAMETERS.items()],
    }
