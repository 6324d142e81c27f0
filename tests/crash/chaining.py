"""A worker that does nothing but chain the audit log, without a pause: `python -m crash.chaining URL`."""

import asyncio
import sys

from audits import SEAL
from ketenzorg.access.audit_chaining import Chainer
from ketenzorg.app import real_time
from ketenzorg.store.audit_chain import AuditChain
from ketenzorg.store.database import Database
from services import SETTINGS


async def main(url: str) -> None:
    chainer = Chainer(AuditChain(Database(url), SETTINGS.region), SEAL, real_time)
    while True:
        await chainer.chain_next()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
