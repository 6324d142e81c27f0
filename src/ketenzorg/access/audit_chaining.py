"""Puts what was written into the chain, a piece at a time, by whoever comes first, never twice.

Lines are taken in the order of commits, up to the oldest transaction that still runs: a line that commits late is not
skipped, and what was chained is never overtaken. Between its commit and its link, seconds later, a line is only kept.
"""

from collections.abc import Callable
from datetime import datetime

from ketenzorg.access.audit_seal import BEGINNING, Seal, link, statement
from ketenzorg.store.audit_chain import START, AuditChain, Line, Link

LINES = 1_000  # in one piece


class Chainer:
    """Any number of these may run beside each other: the database decides who goes on."""

    def __init__(self, chain: AuditChain, seal: Seal, now: Callable[[], datetime]) -> None:
        self._chain = chain
        self._seal = seal
        self._now = now

    async def chain_next(self) -> int:
        """One piece; how many lines were in it, 0 when there are none left."""
        head = await self._chain.head()
        lines = await self._chain.lines(head.place if head else START, LINES)
        if not lines:
            return 0
        n, before = (head.n, head.hash) if head else (0, BEGINNING)
        links: list[Link] = []
        for line in lines:
            links.append(_link(n + len(links) + 1, links[-1].hash if links else before, line))
        at = self._now()
        signed = self._seal.sign(statement("head", self._chain.region, links[-1].n, links[-1].hash, at))
        await self._chain.add(n, links, at, self._seal.key, signed)
        return len(lines)

    async def chain_until_current(self) -> None:
        """Until nothing is left."""
        while await self.chain_next():
            pass


def _link(n: int, before: bytes, line: Line) -> Link:
    values = line.values
    at = datetime.fromisoformat(values["at"])
    return Link(n, line.place, at, values["request"], link(before, values))
