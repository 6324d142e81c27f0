"""Every route, dependency and error handler, wired in one place."""

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.plugins import PluginProtocol
from litestar.types import ControllerRouterHandler

from ketenzorg.access.assertions import Assertions
from ketenzorg.access.granting import Granting
from ketenzorg.access.key_encryption import key_encryption_keys
from ketenzorg.access.key_sets import KeySets
from ketenzorg.access.keyring import Keyring
from ketenzorg.access.keys import Keys
from ketenzorg.access.limits import Limits
from ketenzorg.access.outgoing import Outgoing
from ketenzorg.access.registry import Registry
from ketenzorg.access.token_keys import TokenKeys
from ketenzorg.access.tokens import Tokens
from ketenzorg.api import (
    answers,
    audit_event,
    auth,
    create,
    delete,
    documents,
    health,
    history,
    message,
    metadata,
    oauth,
    operations,
    overdue,
    patch,
    read,
    sandbox,
    search,
    subscription,
    subscription_events,
    throughput,
    transaction,
    update,
    validate,
)
from ketenzorg.api.definitions import Published
from ketenzorg.api.gate import Gate
from ketenzorg.api.referee import Referee
from ketenzorg.api.rehearsing import Rehearsals
from ketenzorg.coordination.steps.watching import Watcher
from ketenzorg.coordination.world import World
from ketenzorg.errors import KetenzorgError
from ketenzorg.fhir.decode import decode
from ketenzorg.logs import STARTED, STOPPED, log
from ketenzorg.pages import refusals
from ketenzorg.pages import routes as pages
from ketenzorg.pages.entrance import Entrance
from ketenzorg.pages.guide import Running
from ketenzorg.pages.promises import load_promises
from ketenzorg.pages.site import is_page, make_site
from ketenzorg.pathway.content import Content, read_content
from ketenzorg.pathway.published import published
from ketenzorg.promised import promised_numbers
from ketenzorg.settings import Settings
from ketenzorg.store.audit import AuditLog
from ketenzorg.store.audit_reading import AuditReading
from ketenzorg.store.clients import Clients
from ketenzorg.store.consents import Consents
from ketenzorg.store.data_keys import DataKeys
from ketenzorg.store.database import Database
from ketenzorg.store.doorbell import Doorbell
from ketenzorg.store.dues import Dues
from ketenzorg.store.history import History
from ketenzorg.store.ids import uuid7
from ketenzorg.store.messages import Messages
from ketenzorg.store.readiness import check_ready
from ketenzorg.store.reading import Reading
from ketenzorg.store.referrals import Referrals
from ketenzorg.store.replaying import Replaying
from ketenzorg.store.retries import Retries
from ketenzorg.store.revision import newest
from ketenzorg.store.searching import Searching
from ketenzorg.store.subscriptions import Subscriptions
from ketenzorg.store.trajecten import Trajecten
from ketenzorg.store.worklist import Worklist
from ketenzorg.throughput.measures import Throughput

ROUTES: list[ControllerRouterHandler] = [
    auth.token,
    auth.introspect,
    auth.jwks,
    auth.smart_configuration,
    transaction.transaction,
    message.process_message,
    metadata.capabilities,
    search.search,
    create.create,
    search.search_by_form,
    documents.document,
    documents.binary,
    read.read,
    read.vread,
    *history.ROUTES,
    audit_event.read_event,
    audit_event.search_events,
    audit_event.search_events_by_form,
    update.update,
    update.update_found,
    patch.patch_one,
    patch.patch_found,
    delete.delete_one,
    delete.delete_found,
    operations.next_events,
    overdue.overdue_tasks,
    operations.event,
    validate.validate,
    validate.validate_here,
    validate.validate_instead,
    health.live,
    health.ready,
    *subscription.ROUTES,
    *subscription_events.ROUTES,
    *throughput.ROUTES,
    *pages.OPEN_ROUTES,
]
# Signing in with a name from a list is for the sandbox; real sign-in comes with a later part.
SANDBOX_ROUTES: list[ControllerRouterHandler] = [sandbox.read_clock, sandbox.set_clock, *pages.ROUTES]
WHOLES = 3  # transactions of several acts at once: each holds a connection for as long as it takes
EMPTY_BUNDLE = b'{"resourceType":"Bundle","type":"transaction"}'  # the first decoding builds the decoder


class _Service(Litestar):
    """Litestar without its plugins for pydantic and attrs, whose models we have none of: a tenth of a start."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return plugins


def real_time() -> datetime:
    """Now, aware and in UTC, to the millisecond: as exact as what we print, so that it can be searched for."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def tokens_of(settings: Settings, secret: bytes) -> Tokens:
    """The tokens of this installation; their time is real, also in the sandbox."""
    return Tokens(
        TokenKeys(Keys.derive(secret).token),
        issuer=settings.base_url,
        audience=settings.audience,
        region=settings.region,
        now=real_time,
    )


def keyring_of(settings: Settings, secret: bytes, database: Database) -> Keyring:
    """The data keys of this installation. Raises WrongSetting for a key-encryption key that cannot be used."""
    keks = key_encryption_keys(settings.keks, secret, os.environ)
    return Keyring(DataKeys(database, settings.region), settings.region, keks, Keys.derive(secret).number)


def world_of(
    settings: Settings,
    secret: bytes,
    database: Database,
    now: Callable[[], datetime],
    content: Content | None = None,
) -> World:
    """Everything that the use cases need, from the settings."""
    catalogue, region = content or read_content(
        settings.pathways, settings.region, settings.data_dir / "pathways.proven"
    )
    bell = Doorbell(database, settings.region)
    return World(
        region=region,
        catalogue=catalogue,
        keys=Keys.derive(secret),
        keyring=keyring_of(settings, secret, database),
        referrals=Referrals(database, settings.region, bell),
        trajecten=Trajecten(database, settings.region, bell),
        consents=Consents(database, settings.region),
        reading=Reading(database, settings.region),
        searching=Searching(database, settings.region),
        history=History(database, settings.region),
        bell=bell,
        outgoing=Outgoing(settings.outgoing_networks),
        worklist=Worklist(database, settings.region),
        audit=AuditLog(database, settings.region),
        log=AuditReading(database, settings.region),
        subscriptions=Subscriptions(database, settings.region),
        dues=Dues(database, settings.region, bell),
        replaying=Replaying(database, settings.region),
        messages=Messages(database, settings.region),
        retries=Retries(database, settings.region),
        new_id=uuid7,
        now=now,
        real_now=real_time,
        started=real_time().replace(microsecond=0),
    )


def create_app(
    settings: Settings,
    secret: bytes,
    database_url: str,
    *,
    in_sandbox: bool = False,
    seconds: Callable[[], float] = monotonic,
    content: Content | None = None,
) -> Gate:
    """The service as an ASGI application, with the gate around it."""
    decode(EMPTY_BUNDLE)
    clock = sandbox.SandboxClock()
    database = Database(database_url)
    world = world_of(settings, secret, database, clock.now if in_sandbox else real_time, content)
    definitions = Published(partial(published, settings.profiles, world.catalogue))
    referee = Referee(lambda: definitions.resources, settings.fhir_packages, os.environ)
    world = dataclasses.replace(world, claims=referee.claims)
    tokens = tokens_of(settings, secret)
    clients = Clients(database, settings.region)
    liberal = [name for name, each in world.region.clients.items() if in_sandbox and each.is_liberal]
    registry = Registry(clients, clock=seconds, unregistered=in_sandbox, liberal=liberal)
    key_sets = KeySets(Outgoing(settings.outgoing_networks), clock=seconds)
    assertions = Assertions(
        registry, key_sets, clients, audience=f"{settings.base_url}/auth/token", now=real_time
    )

    watcher = Watcher(world)

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        log(STARTED, what="api", pathways=world.catalogue.names)
        # Elsewhere the worker looks at the clock; that of a sandbox is here.
        async with _watching(watcher) if in_sandbox else nullcontext():
            yield
        await referee.close()
        await world.bell.close()
        await database.close()
        log(STOPPED, what="api")

    app = _Service(
        route_handlers=[*ROUTES, *(SANDBOX_ROUTES if in_sandbox else [])],
        lifespan=[running],
        state=State(
            {
                "world": world,
                "database": database,
                "wholes": asyncio.Semaphore(WHOLES),
                "tokens": tokens,
                "registry": registry,
                "granting": Granting(
                    assertions, tokens, world.region, certified=settings.tls_client_ca is not None
                ),
                "base_url": settings.base_url,
                "clock": clock,
                "watcher": watcher,
                "published": definitions,
                "referee": referee,
                "rehearsals": Rehearsals(database),
                "throughput": Throughput(database, world.region, world.catalogue),
                "guide": Running(
                    published=lambda: definitions.resources,
                    statement=lambda: metadata.capability_statement(settings.base_url, world.started),
                    profiles=settings.profiles,
                    base_url=settings.base_url,
                ),
                "promises": load_promises(promised_numbers(settings, world.region)),
                "site": make_site(settings, world.keys, world.region, real_time, in_sandbox=in_sandbox),
                "check_ready": health.Look(
                    partial(check_all_ready, database, newest(settings.migrations), world.keyring)
                ),
            }
        ),
        exception_handlers={
            KetenzorgError: _by_address(refusals.expected, oauth.expected, answers.expected),
            HTTPException: _by_address(refusals.of_framework, oauth.of_framework, answers.of_framework),
            Exception: _by_address(refusals.crash, oauth.crash, answers.crash),
        },
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )
    return Gate(
        app,
        tokens,
        registry,
        Limits(settings),
        Entrance(app.state.site),
        https=settings.base_url.startswith("https:"),
    )


async def check_all_ready(database: Database, revision: str, keyring: Keyring) -> None:
    """Raise Unavailable when the database may not be worked on, or the keys cannot be used."""
    await check_ready(database, revision)
    await keyring.newest()


@asynccontextmanager
async def _watching(watcher: Watcher) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(watcher.run(stop))
        try:
            yield
        finally:
            stop.set()


def _by_address(
    of_page: Callable[..., Any], of_auth: Callable[..., Any], of_api: Callable[..., Any]
) -> Callable[..., Any]:
    """People get a page in plain Dutch, who asks for a token the words of OAuth, other systems an OperationOutcome."""

    def handle(request: Request[Any, Any, Any], error: Any) -> Any:
        path = request.scope["path"]
        answer = of_page if is_page(path) else of_auth if oauth.is_auth(path) else of_api
        return answer(request, error)

    return handle
