"""The figures of a pathway: as JSON, and each table as CSV. Not FHIR; errors are, as everywhere."""

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.types import ControllerRouterHandler

from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.coordination.reading.figures import figures_of
from ketenzorg.errors import Issue, NotFound
from ketenzorg.store.audit import Interaction
from ketenzorg.throughput.figures import Measures
from ketenzorg.throughput.tables import TABLES, as_csv

CSV = ".csv"


@get("/throughput/{pathway:str}")
async def measures(request: Http, pathway: FromPath[str]) -> ASGIResponse:
    """All figures of a selection: ?from=2026-W01&to=2026-W26&municipality=GM0014&organisation=<id>."""
    figures = await _measures(request, pathway)
    return ASGIResponse(body=msgspec.json.encode(figures), media_type="application/json; charset=utf-8")


@get("/throughput/{pathway:str}/{table:str}")
async def table(request: Http, pathway: FromPath[str], table: FromPath[str]) -> ASGIResponse:
    """One table of the same selection, for a spreadsheet."""
    name = table.removesuffix(CSV)
    if name == table or name not in TABLES:
        known = ", ".join(each + CSV for each in TABLES)
        raise NotFound(
            Issue(nl=f"Deze tabel is er niet. Wel: {known}.", en=f"No such table. There are: {known}.")
        )
    figures = await _measures(request, pathway, "export")
    return ASGIResponse(
        body=as_csv(figures, name).encode(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{figures.pathway}-{name}.csv"'},
    )


async def _measures(request: Http, pathway: str, shown_as: Interaction = "figures") -> Measures:
    pairs = [*request.query_params.multi_items()]
    visit, world = visit_of(request), world_of(request)
    return await figures_of(pathway, pairs, visit, request.app.state.throughput, world, shown_as=shown_as)


ROUTES: list[ControllerRouterHandler] = [measures, table]
