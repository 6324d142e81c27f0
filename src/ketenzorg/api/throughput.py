"""The figures of a pathway: as JSON, and each table as CSV. Not FHIR; errors are, as everywhere."""

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.types import ControllerRouterHandler

from ketenzorg.api.requests import Http, visit_of, world_of
from ketenzorg.errors import BadRequest, Issue, NotFound
from ketenzorg.throughput.asking import what_is_asked
from ketenzorg.throughput.figures import Measures
from ketenzorg.throughput.measures import Throughput
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
    figures = await _measures(request, pathway)
    return ASGIResponse(
        body=as_csv(figures, name).encode(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{figures.pathway}-{name}.csv"'},
    )


async def _measures(request: Http, pathway: str) -> Measures:
    throughput: Throughput = request.app.state.throughput
    pairs = [*request.query_params.multi_items()]
    filters = dict(pairs)
    if len(filters) < len(pairs):
        raise BadRequest(Issue(nl="Een filter staat er twee keer.", en="A filter stands twice."))
    now = world_of(request).now()
    caller = visit_of(request).caller
    asked = what_is_asked(pathway, filters, caller, throughput.region, throughput.catalogue, now)
    return await throughput.measures(asked, now)


ROUTES: list[ControllerRouterHandler] = [measures, table]
