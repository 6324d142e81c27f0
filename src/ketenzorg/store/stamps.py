"""Whether what is written now comes after what stands there: a copy made by other means than ours may come before."""

from ketenzorg.errors import Issue, Unavailable
from ketenzorg.store.revision import Connection


class StampedAhead(Unavailable):
    """Rows carry the transactions of another server: what follows them would be told and chained before them."""


async def check_stamps(connection: Connection) -> None:
    """Raise StampedAhead, with what to do about it."""
    [row] = await connection.fetch("select ketenzorg.stamped_ahead() as ahead")
    if row["ahead"]:
        raise StampedAhead(
            Issue(
                nl="Deze database is niet met ketenzorg restore teruggezet: nieuwe regels zouden voor de oude komen. "
                "Zet de back-up met ketenzorg restore terug in een lege database.",
                en="This database was not restored with ketenzorg restore: new rows would come before the old ones. "
                "Restore the back-up into an empty database with ketenzorg restore.",
            )
        )
