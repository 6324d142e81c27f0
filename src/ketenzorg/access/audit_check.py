"""Walks the chain over the audit log again, page by page, and names every line that is not as it was written.

Lines and links come in the same order, so that they are laid side by side: a line without a link was put in, a link
without a line tells what was removed, and a line that does not give its link was changed. Signed heads say how long the
chain was; the last ones may be taken away together with what they signed for, which only a head elsewhere can show.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from ketenzorg.access.audit_seal import BEGINNING, Seal, link, statement
from ketenzorg.store.audit_chain import START, AuditChain, Head, Line, Link, Place

PAGE = 1_000
T = TypeVar("T")
What = Literal["changed", "removed", "put in", "hidden", "links gone", "forged", "other key", "cut off"]


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was: a line, or a piece of the chain (`first` to `last`)."""

    what: What
    id: UUID | None = None
    request: str = ""
    at: datetime | None = None
    first: int = 0
    last: int = 0


class _Stream(Generic[T]):
    """What comes one by one, with a look at the next."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source
        self._next: list[T] = []

    async def peek(self) -> T | None:
        """The next one, which stays; None at the end."""
        if not self._next:
            self._next += [each] if (each := await anext(self._source, None)) is not None else []
        return self._next[0] if self._next else None

    def take(self) -> T:
        """The one that was peeked at."""
        return self._next.pop()


class Walk:
    """One walk along the whole chain; the counts are there when it has ended."""

    def __init__(self, chain: AuditChain, seal: Seal, handed_out: Head | None = None) -> None:
        self._chain = chain
        self._seal = seal
        self._handed_out = handed_out
        self.lines = 0  # that are in order or not, up to the last head
        self.until: datetime | None = None  # when the last of them was written
        self._before: bytes | None = BEGINNING  # the link before the next one; None: it is gone
        self._n = 0

    async def findings(self) -> AsyncIterator[Finding]:
        """Everything that is wrong, in the order of the log."""
        head, purged = await self._chain.head(), await self._chain.purged()
        end = head.place if head else START
        lines = _Stream(self._lines_to(end))
        heads = _Stream(self._heads())
        async for each in _paged(self._chain.links, lambda link: link.n, 0):
            for finding in self._begins(each, purged):
                yield finding
            while (line := await lines.peek()) is not None and line.place < each.place:
                yield self._put_in(lines.take())
            if line is None or line.place > each.place:
                yield Finding("removed", each.place.id, each.request, each.at, each.n, each.n)
            else:
                for finding in self._compare(lines.take(), each):
                    yield finding
            self._n, self._before = each.n, each.hash
            while (signed := await heads.peek()) is not None and signed.n <= each.n:
                for finding in self._judge(heads.take(), each):
                    yield finding
        while await lines.peek() is not None:
            yield self._put_in(lines.take())
        while await heads.peek() is not None:
            signed = heads.take()
            if signed.n > self._n and signed != purged:
                yield Finding("cut off", signed.place.id, at=signed.at, first=self._n + 1, last=signed.n)

    def _begins(self, each: Link, purged: Head | None) -> Sequence[Finding]:
        if each.n == self._n + 1:
            return ()
        before, self._before = self._n, None
        if purged is not None and each.n <= purged.n + 1:
            self._before = purged.hash if each.n == purged.n + 1 else None
            return ()
        return [Finding("links gone", first=before + 1, last=each.n - 1)]

    def _compare(self, line: Line, each: Link) -> Sequence[Finding]:
        self._count(line)
        found = []
        if self._before is not None and link(self._before, line.values) != each.hash:
            found.append(Finding("changed", line.place.id, each.request, each.at, each.n, each.n))
        if not line.found:
            found.append(Finding("hidden", line.place.id, each.request, each.at, each.n, each.n))
        return found

    def _put_in(self, line: Line) -> Finding:
        self._count(line)
        return Finding("put in", line.place.id, str(line.values["request"]), _moment(line))

    def _judge(self, head: Head, each: Link) -> Sequence[Finding]:
        if head.key != self._seal.key:
            return [Finding("other key", at=head.at, first=head.n, last=head.n)]
        same = head.n < each.n or head.hash == each.hash
        return () if same and self._seal.signed(_said(head), head.signature) else [_forged(head)]

    def _count(self, line: Line) -> None:
        self.lines += 1
        self.until = _moment(line)

    def _lines_to(self, end: Place) -> AsyncIterator[Line]:
        async def page(after: Place, most: int) -> list[Line]:
            return await self._chain.lines(after, most, to=end)

        return _paged(page, lambda line: line.place, START)

    async def _heads(self) -> AsyncIterator[Head]:
        """Those that are stored, and the one that was handed out in its place among them."""
        waiting = self._handed_out
        async for head in _paged(self._chain.heads, lambda head: head.n, 0):
            if waiting is not None and waiting.n <= head.n:
                yield waiting
                waiting = None
            yield head
        if waiting is not None:
            yield waiting


async def _paged(
    page: Callable[[Any, int], Awaitable[Sequence[T]]], key: Callable[[T], Any], after: Any
) -> AsyncIterator[T]:
    """One after the other, with no more than a page in memory."""
    while found := await page(after, PAGE):
        for each in found:
            yield each
        after = key(found[-1])


def _said(head: Head) -> bytes:
    return statement(head.kind, head.region, head.n, head.hash, head.at)


def _forged(head: Head) -> Finding:
    return Finding("forged", head.place.id, at=head.at, first=head.n, last=head.n)


def _moment(line: Line) -> datetime:
    return datetime.fromisoformat(line.values["at"])
