"""Which systems are registered, remembered in each process and never older than a second.

A system that is revoked, its tokens that are still valid included, is refused by every process within STALE_S. The
price is one look at a one-row table in a second in which requests come; no request asks the database by itself.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping

from ketenzorg.errors import Issue, Unauthenticated
from ketenzorg.store.clients import Client, Clients

STALE_S = 1.0


class Registry:
    """The clients as one process knows them. Who is not in it gets nothing."""

    def __init__(
        self,
        clients: Clients,
        *,
        clock: Callable[[], float],
        unregistered: bool,
        liberal: Collection[str] = (),
    ) -> None:
        self._clients = clients
        self._clock = clock  # seconds that only go up
        self._unregistered = unregistered  # the sandbox: names that were never registered get tokens by hand
        self._liberal = liberal  # of those names
        self._known: Mapping[str, Client] = {}
        self._epoch = -1
        self._looked = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def find(self, id_: str) -> Client | None:
        """A client that may ask for tokens."""
        await self._refresh()
        client = self._known.get(id_)
        return client if client is not None and client.revoked is None else None

    async def admit(self, id_: str) -> None:
        """Raise Unauthenticated unless tokens of this client still count."""
        await self._refresh()
        client = self._known.get(id_)
        if (client is None and not self._unregistered) or (client is not None and client.revoked is not None):
            raise Unauthenticated(
                Issue(
                    nl="De client van dit token is niet (meer) geregistreerd.",
                    en="The client of this token is not, or no longer, registered.",
                ),
                headers={"WWW-Authenticate": 'Bearer realm="ketenzorg", error="invalid_token"'},
            )

    def is_liberal(self, id_: str) -> bool:
        """Whether what this client sends may break rules on which nothing depends; of one that was admitted."""
        client = self._known.get(id_)
        return id_ in self._liberal if client is None else client.liberal

    async def _refresh(self) -> None:
        """Know what held a second ago, or later. Requests that come together share one look, and its failure."""
        now = self._clock()
        while now - self._looked >= STALE_S:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            await asyncio.shield(self._looking)

    async def _look(self) -> None:
        began = self._clock()  # what changes after this moment we may not have seen
        epoch = await self._clients.epoch()
        if epoch != self._epoch:
            self._known = {client.id: client for client in await self._clients.all()}
            self._epoch = epoch
        self._looked = began
