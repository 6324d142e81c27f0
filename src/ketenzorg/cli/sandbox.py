"""Tokens for the clients of the sandbox: organisations that do not exist, or that are told to be played."""

from collections.abc import Mapping
from datetime import timedelta

from ketenzorg.access.tokens import Caller
from ketenzorg.app import tokens_of
from ketenzorg.errors import Issue, NotFound
from ketenzorg.pathway.content import read_content
from ketenzorg.pathway.region import Region
from ketenzorg.secret_file import read_or_make_secret
from ketenzorg.settings import BASE_URL, Settings


def token_for(environ: Mapping[str, str], client: str, hours: int, port: int) -> str:
    """A token for a client that the region's sandbox file lists."""
    here = {BASE_URL.name: f"http://127.0.0.1:{port}"}
    settings = Settings.from_environ({**here, **environ})
    region = read_content(settings.pathways, settings.region).region
    secret = read_or_make_secret(settings.secret_file)
    return tokens_of(settings, secret).issue(caller_for(region, client), timedelta(hours=hours))


def caller_for(region: Region, client: str) -> Caller:
    """What a sandbox client may do, and for whom. Raises NotFound naming those that there are."""
    if client not in region.clients:
        known = ", ".join(region.clients)
        raise NotFound(
            Issue(nl=f"Deze client is er niet; wel: {known}.", en=f"No such client; there are: {known}.")
        )
    organisation = region.of_client(client)
    scopes = frozenset(region.clients[client].scopes)
    return Caller(client, organisation.id, organisation.kind, scopes, region.code)
