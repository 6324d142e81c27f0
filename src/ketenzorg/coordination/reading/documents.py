"""A letter as one whole: the FHIR document Bundle with all that it speaks of, as far as its reader sees that.

https://hl7.org/fhir/R4/composition-operation-document.html
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from ketenzorg.coordination.reading.looking import Seen, read_whole
from ketenzorg.coordination.world import Visit, World
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
        from ketenzorg.coordination.reading.letter_pdf import letter_pdf  # noqa: PLC0415  (fonts, images: a fifth of a start)

        patient = next((json.read(each.body) for each in self.others if each.type == "Patient"), {})
        return letter_pdf(json.read(self.composition.body), patient)


async def document_of(id_: str, visit: Visit, world: World) -> Document:
    """The letter with this id. Raises NotFound, also for who may not see it; the look is on record."""
    return Document(*await read_whole("Composition", id_, _referred, visit, world))


def _referred(composition: dict[str, Any]) -> Iterator[tuple[str, str]]:
    details = [detail for event in composition["event"] for detail in event["detail"]]
    for each in (composition["subject"], *composition["author"], composition["custodian"], *details):
        kind, _, id_ = each["reference"].partition("/")
        yield kind, id_
