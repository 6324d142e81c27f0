"""FHIR documents: the return letter as a Bundle ($document), and as a PDF (Binary).

https://hl7.org/fhir/R4/composition-operation-document.html, https://hl7.org/fhir/R4/binary.html
"""

from base64 import b64encode

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from ketenzorg.access.rules import permit
from ketenzorg.api.answers import resource
from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.coordination.reading.documents import document_of
from ketenzorg.errors import Issue, NotFound

PDF = "application/pdf"


@get("/fhir/{kind:str}/{id_:str}/$document")
async def document(request: Http, kind: FromPath[str], id_: FromPath[str]) -> ASGIResponse:
    """The letter with everything that it speaks of."""
    if kind != "Composition":
        raise NotFound(
            Issue(nl="Alleen een Composition is een document.", en="Only a Composition has $document.")
        )
    visit = visit_of(request)
    permit(visit.caller, "document", kind)
    found = await document_of(id_, visit, world_of(request))
    return resource(found.bundle(f"{request.app.state.base_url}/fhir"))


@get("/fhir/Binary/{id_:str}")
async def binary(request: Http, id_: FromPath[str]) -> ASGIResponse:
    """The same letter as a PDF: as it is for who asks for application/pdf, else inside a Binary."""
    visit = visit_of(request)
    permit(visit.caller, "document", "Binary")
    found = await document_of(id_, visit, world_of(request))
    content = found.pdf()
    if PDF in request.headers.get("accept", ""):
        return ASGIResponse(body=content, media_type=PDF)
    body = {"resourceType": "Binary", "id": found.composition.id, "contentType": PDF}
    return resource(msgspec.json.encode(body | {"data": b64encode(content).decode()}))
