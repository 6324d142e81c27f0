"""The chain over the audit log of a test's service: made, walked again, and tampered with past every wall."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg

from ketenzorg.access.audit_chaining import Chainer
from ketenzorg.access.audit_check import Finding, Walk
from ketenzorg.access.audit_seal import Seal
from ketenzorg.access.keys import Keys
from ketenzorg.app import real_time
from ketenzorg.settings import for_asyncpg
from ketenzorg.store.audit_chain import AuditChain, Head
from ketenzorg.store.database import Database
from services import SECRET, SETTINGS, Service

SEAL = Seal(Keys.derive(SECRET).log)


@asynccontextmanager
async def chain_of(service: Service) -> AsyncIterator[AuditChain]:
    """The chain, on a pool of its own."""
    database = Database(service.database.app_url)
    yield AuditChain(database, SETTINGS.region)
    await database.close()


async def chained(service: Service, at: datetime | None = None) -> None:
    """Everything that was written is in the chain."""
    async with chain_of(service) as chain:
        await Chainer(chain, SEAL, lambda: at or real_time()).chain_until_current()


async def walked(service: Service, handed_out: Head | None = None) -> tuple[list[Finding], int]:
    """What is wrong with the log, and how many lines there are."""
    async with chain_of(service) as chain:
        walk = Walk(chain, SEAL, handed_out)
        return [finding async for finding in walk.findings()], walk.lines


async def tamper(service: Service, *statements: str) -> None:
    """As somebody who owns the server: no trigger stops him, and no row is hidden from him."""
    connection = await asyncpg.connect(for_asyncpg(service.database.admin_url))
    await connection.execute("set session_replication_role = replica")
    for statement in statements:
        await connection.execute(statement)
    await connection.close()
