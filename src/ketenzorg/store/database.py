"""The connection to PostgreSQL: one pool per process, and the database's failures in our own words."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ketenzorg.errors import Issue, Unavailable
from ketenzorg.metrics import CONNECTIONS

POOL_SIZE = 8  # connections per process; with two processes and a worker far under PostgreSQL's usual 100
KEPT = (
    4  # of those, at most so many stay with the hot paths: borrowing one costs as much as a short statement
)
POOL_TIMEOUT_S = 5.0  # how long a request waits for a connection before it hears 503
COMMAND_TIMEOUT_S = 15.0  # after this a statement counts as lost
OUT_OF_REACH = (
    OSError,
    TimeoutError,
    PoolTimeout,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
)


NO_SETTINGS: Mapping[str, str] = {}
_SET = text(
    "select set_config(name, value, true)"
    " from unnest(cast(:names as text[]), cast(:values as text[])) as each(name, value)"
)
_RESET = text(
    "select set_config(name, reset_val, true) from pg_settings where name = any (cast(:names as text[]))"
)
Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]


class _Held(NamedTuple):
    """A connection that is out of the pool, and the driver's own under it."""

    connection: AsyncConnection
    driver: asyncpg.Connection


class Database:
    """PostgreSQL as the application role sees it, behind row level security."""

    def __init__(self, url: str) -> None:
        self._kept: list[_Held] = []  # the one that was used last is the next: it has its plans
        self._closed = False
        self._engine = create_async_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            # Nothing outlives a transaction on our connections, and a reset is an eighth of a short write.
            pool_reset_on_return=None,
            pool_use_lifo=True,  # a warm connection has its plans; the others are for a rush
            json_deserializer=msgspec.json.decode,
            connect_args={
                "server_settings": {"search_path": "ketenzorg", "application_name": "ketenzorg"},
                "command_timeout": COMMAND_TIMEOUT_S,
            },
        )

        event.listen(self._engine.sync_engine, "checkout", _insist_on_open)

    async def close(self) -> None:
        """Give every connection back to the server; one that is at work goes when its work is done."""
        self._closed = True
        while self._kept:
            await self._kept.pop().connection.close()
        await self._engine.dispose()

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """One statement in a transaction of its own, straight on the driver: the hot paths."""
        with failures_named(), CONNECTIONS.track_inprogress():
            held = await self._take()
            try:
                rows: list[asyncpg.Record] = await held.driver.fetch(statement, *arguments)
            except Exception as error:
                if _is_lost(held, error):
                    await _drop(held)
                    raise _unavailable() from error
                await self._give_back(held)
                raise
            except BaseException:  # cancelled: nobody knows what is still on its way
                await _drop(held)
                raise
            await self._give_back(held)
            return rows

    @asynccontextmanager
    async def together(self) -> AsyncIterator[Fetch]:
        """Several statements in one transaction, straight on the driver: all that they write, or nothing."""
        with failures_named(), CONNECTIONS.track_inprogress():
            held = await self._take()
            try:
                async with held.driver.transaction():
                    yield held.driver.fetch
            except BaseException as error:
                lost = _is_lost(held, error)
                await _drop(held)
                if lost:
                    raise _unavailable() from error
                raise
            await self._give_back(held)

    async def _take(self) -> _Held:
        while self._kept:
            held = self._kept.pop()
            if not held.driver.is_closed():
                return held
            await _drop(held)  # the server went away while nobody used it
        connection = await self._engine.connect()
        return _Held(connection, await _driver(connection))

    async def _give_back(self, held: _Held) -> None:
        if self._closed:  # nobody would ever take it again
            await _drop(held)
        elif len(self._kept) < KEPT:
            self._kept.append(held)
        else:
            await held.connection.close()

    @asynccontextmanager
    async def as_callers(
        self, callers: Sequence[UUID], settings: Mapping[str, str] = NO_SETTINGS
    ) -> AsyncIterator[AsyncConnection]:
        """A transaction in which only rows show to which one of `callers` is a party, with PostgreSQL set for it."""
        with failures_named(), CONNECTIONS.track_inprogress():
            async with self._engine.begin() as connection:
                await show_as(connection, callers, settings)
                yield connection

    @asynccontextmanager
    async def in_one(self, *, kept: bool) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection]]:
        """A transaction for SQLAlchemy and its driver together: see ketenzorg.store.trial.

        `kept`: all of it stays when this ends well, and else nothing; otherwise nothing stays.
        """
        with failures_named(), CONNECTIONS.track_inprogress():
            async with self._engine.connect() as connection:
                await connection.execute(text("select"))  # with it the driver's transaction begins
                try:
                    yield connection, await _driver(connection)
                    await (connection.commit() if kept else connection.rollback())
                except BaseException:  # nobody knows what is still on its way
                    await connection.invalidate()
                    raise


async def show_as(connection: AsyncConnection, callers: Sequence[UUID], settings: Mapping[str, str]) -> None:
    """From now on, in this transaction, only the rows of these parties show."""
    values = {"ketenzorg.callers": ",".join(map(str, callers)), **settings}
    await connection.execute(_SET, {"names": list(values), "values": list(values.values())})


async def as_before(connection: AsyncConnection, settings: Iterable[str]) -> None:
    """What follows in this transaction has none of these settings."""
    await connection.execute(_RESET, {"names": list(settings)})


def _insist_on_open(connection: Any, *_: object) -> None:
    """A connection that was lost while nobody used it is opened again, and nobody hears of it."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _is_lost(held: _Held, error: BaseException) -> bool:
    """asyncpg says InternalClientError when the server dies between two messages of one statement."""
    return isinstance(error, OUT_OF_REACH) or (isinstance(error, Exception) and held.driver.is_closed())


async def _drop(held: _Held) -> None:
    """SQLAlchemy does not see what happens on the driver: without this the pool hands it out for ever."""
    await held.connection.invalidate()
    await held.connection.close()


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    return (await connection.get_raw_connection()).driver_connection


@contextmanager
def failures_named() -> Iterator[None]:
    """Turn "the database is not there" into Unavailable; what is our own mistake stays what it is."""
    try:
        yield
    except OUT_OF_REACH as error:
        raise _unavailable() from error
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if error.connection_invalidated or isinstance(cause, OUT_OF_REACH):
            raise _unavailable() from error
        raise


def _unavailable() -> Unavailable:
    return Unavailable(
        Issue(
            nl="De database is even niet bereikbaar. Stuur hetzelfde bericht over enkele seconden nog eens; dat is "
            "veilig.",
            en="The database cannot be reached just now. Send the same message again in a few seconds; that is safe.",
        ),
        headers={"Retry-After": "2"},
    )
