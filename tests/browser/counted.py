"""A region with a past, counted, for the chain team's page."""

from content import CATALOGUE
from ketenzorg.store.ids import uuid7
from services import START, Service
from throughput.counting import all_counted
from throughput.regions import region, write

PATHWAY = CATALOGUE.current("welzijn-op-recept")


async def counted(service: Service, trajecten: int) -> None:
    """So many trajecten in the forty weeks before today."""
    logs = region(PATHWAY, 3, trajecten, 40, until=START)
    await write(service.database, [(uuid7(), log) for log in logs])
    await all_counted(service.app.litestar.state.throughput.rollup)
