"""A letter as one whole: the FHIR document Bundle with all that it speaks of, as far as its reader sees that.

https://hl7.org/fhir/R4/composition-operation-document.html
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from ketenzorg.coordination.looking import Seen, read
from ketenzorg.coordination.world import Visit, World
from ketenzorg.errors import NotFound
from ketenzorg.fhir import json


class Document(NamedTuple):
    """The Composition, and what it refers to, each as its reader sees it."""

    composition: Seen
    others: tuple[Seen, ...]

    def bundle(self, fhir_base: str) -> bytes:
        """The Bundle; `fhir_base` stands in the addresses of its entries."""
        whole = json.read(self.composition.body)
        entries = [
            {"fullUrl": f"{fhir_base}/{each.type}/{each.id}", "resource": msgspec.Raw(each.body)}
            for each in (self.composition, *self.others)
        ]
        return json.write(
            {
                "resourceType": "Bundle",
                "identifier": whole["identifier"],
                "type": "document",
                "timestamp": whole["date"],
                "entry": entries,
            }
        )

    def pdf(self) -> bytes:
        """What a person reads."""
        from ketenzorg.coordination.letter_pdf import letter_pdf  # noqa: PLC0415  (fonts, images: a fifth of a start)

        patient = next((json.read(each.body) for each in self.others if each.type == "Patient"), {})
        return letter_pdf(json.read(self.composition.body), patient)


async def document_of(id_: str, visit: Visit, world: World) -> Document:
    """The letter with this id. Raises NotFound, also for who may not see it; each look is on record."""
    composition = await read("Composition", id_, visit, world)
    others = []
    for kind, other in dict.fromkeys(_referred(json.read(composition.body))):
        try:
            others.append(await read(kind, other, visit, world))
        except NotFound:  # its reader does not see this part
            continue
    return Document(composition, tuple(others))


def _referred(composition: dict[str, Any]) -> Iterator[tuple[str, str]]:
    details = [detail for event in composition["event"] for detail in event["detail"]]
    for each in (composition["subject"], *composition["author"], composition["custodian"], *details):
        kind, _, id_ = each["reference"].partition("/")
        yield kind, id_
