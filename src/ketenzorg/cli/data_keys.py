"""`ketenzorg keys`: which keys there are, renewing them, and forgetting those that nothing needs any more."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import typer

from ketenzorg.access.data_key import DERIVED, IN_CLEAR
from ketenzorg.access.key_encryption import CannotUnwrap
from ketenzorg.access.keyring import LOOK_AGAIN_S, Keyring
from ketenzorg.access.rotation import Moved, move_to_newest
from ketenzorg.access.rotation import rewrap as rewrap_all
from ketenzorg.app import keyring_of
from ketenzorg.cli.place import place
from ketenzorg.errors import Conflict, Issue, NotFound
from ketenzorg.settings import KEKS
from ketenzorg.store.data_keys import DataKeys, Kind, Uses, WrappedKey
from ketenzorg.store.database import Database

T = TypeVar("T")
WORDS: dict[Kind, str] = {"personal_number": "nummers", "endpoint": "geheimen"}
FROM_BEFORE = {
    DERIVED: "(afgeleid van het geheim, van voor de sleutels)",
    IN_CLEAR: "(niet verzegeld, van voor de sleutels)",
}


def list_keys(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Print every data key: under which key it rests, whether it opens, how much it seals."""

    async def listed(keyring: Keyring, store: DataKeys) -> None:
        keys, uses = await store.all(), await store.uses()
        typer.echo(f"{KEKS.name}: {', '.join(keyring.keks)} (de eerste pakt in)")
        for place_, key in enumerate(keys):
            typer.echo(_line(key.id, f"onder {key.kek}", uses, _state(key, keyring, newest=place_ == 0)))
        for id_ in sorted({each.id for each in uses} - {key.id for key in keys}):
            known = id_ in FROM_BEFORE
            why = "verhuist met: ketenzorg keys rotate" if known else "SLEUTEL IS ER NIET: onleesbaar"
            typer.echo(_line(FROM_BEFORE.get(id_, id_), "", uses, why, of=id_))

    _with_keys(environ, embedded, listed)


def rotate(environ: Mapping[str, str], *, embedded: bool, go_on: bool) -> int:
    """Make a new data key (unless `go_on`), and seal with it all that others sealed. 1: something stayed behind."""

    async def rotated(keyring: Keyring, store: DataKeys) -> Moved:
        if not go_on:
            await keyring.make()
        newest = await keyring.newest()
        typer.echo(f"De nieuwste sleutel is {newest.id}.")
        rows = sum(each.uses for each in await store.uses() if each.id != newest.id)
        with typer.progressbar(length=rows, label="Opnieuw verzegelen") as bar:
            return await move_to_newest(keyring, store, bar.update)

    done = _with_keys(environ, embedded, rotated)
    typer.echo(f"{done.moved} opnieuw verzegeld.")
    if done.left:
        typer.echo(
            f"{done.left} bleven achter: wat hun sleutel is en waarom die niet opent, zegt: ketenzorg keys list"
        )
    typer.echo(
        f"Wat nu draait, verzegelt binnen {LOOK_AGAIN_S:.0f} s met de nieuwste. Wat er tot dan nog onder een oudere "
        "komt, verhuist met: ketenzorg keys rotate --continue"
    )
    return 1 if done.left else 0


def rewrap(environ: Mapping[str, str], *, embedded: bool) -> None:
    """Wrap every data key with the newest key-encryption key. Raises CannotUnwrap naming those that stayed."""

    async def rewrapped(keyring: Keyring, store: DataKeys) -> None:
        done = await rewrap_all(keyring, store, keyring.keks[0])
        typer.echo(f"{done} sleutels opnieuw ingepakt, met {keyring.keks[0]}.")

    _with_keys(environ, embedded, rewrapped)


def destroy(environ: Mapping[str, str], id_: str, *, embedded: bool) -> None:
    """Forget a data key that seals nothing any more. Raises NotFound or Conflict saying what is in the way."""

    async def destroyed(_: Keyring, store: DataKeys) -> str:
        keys, uses = await store.all(), await store.uses()
        key = next((each for each in keys if each.id == id_), None)
        if key is None:
            raise NotFound(Issue(nl="Deze sleutel is er niet.", en="No such key; see: ketenzorg keys list"))
        if not await store.destroy(id_):
            raise Conflict(_in_the_way(id_, keys, uses))
        return key.kek

    kek = _with_keys(environ, embedded, destroyed)
    typer.echo(f"{id_} is weg.")
    typer.echo(
        f"In oudere back-ups staat hij nog, ingepakt met {kek}. Die zijn pas onleesbaar als ook {kek} vernietigd is: "
        "pak eerst de andere sleutels om (ketenzorg keys rewrap)."
    )


def _with_keys(
    environ: Mapping[str, str], embedded: bool, work: Callable[[Keyring, DataKeys], Awaitable[T]]
) -> T:
    async def run(url: str) -> T:
        database = Database(url)
        try:
            keyring = keyring_of(here.settings, here.secret, database)
            return await work(keyring, DataKeys(database, here.settings.region))
        finally:
            await database.close()

    with place(environ, embedded=embedded, attach=embedded) as here:
        return asyncio.run(run(here.database_url))


def _state(key: WrappedKey, keyring: Keyring, *, newest: bool) -> str:
    try:
        keyring.unwrapped(key)
    except CannotUnwrap as error:
        return f"OPENT NIET: {error.issues[0].nl}"
    return "nieuwste" if newest else "opent"


def _line(shown: str, under: str, uses: Sequence[Uses], state: str, of: str | None = None) -> str:
    counts = {each.kind: each.uses for each in uses if each.id == (shown if of is None else of)}
    sealed = ", ".join(f"{word} {counts.get(kind, 0)}" for kind, word in WORDS.items())
    return "  ".join(filter(None, (shown, under, sealed, state)))


def _in_the_way(id_: str, keys: Sequence[WrappedKey], uses: Sequence[Uses]) -> Issue:
    sealed = sum(each.uses for each in uses if each.id == id_)
    if sealed:
        return Issue(
            nl=f"Deze sleutel verzegelt nog {sealed} rijen. Eerst: ketenzorg keys rotate --continue",
            en=f"This key still seals {sealed} rows. First: ketenzorg keys rotate --continue",
        )
    if keys[0].id == id_:
        return Issue(
            nl="Dit is de nieuwste sleutel. Eerst: ketenzorg keys rotate",
            en="This is the newest key. First: ketenzorg keys rotate",
        )
    return Issue(
        nl="De nieuwste sleutel is er nog geen minuut: er kan nog iets met deze worden verzegeld. Wacht even.",
        en="The newest key is younger than a minute: something may still be sealed with this one. Wait a moment.",
    )
