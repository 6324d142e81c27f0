"""The style sheets and the icon over HTTP: kept by browsers for ever, since a changed one has another address."""

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from ketenzorg.pages.assets import PREFIX
from ketenzorg.pages.render import HEADERS
from ketenzorg.pages.site import Http, site_of

FOR_EVER = "public, max-age=31536000, immutable"


@get("/static/{file:str}")
async def style_sheet(request: Http, file: FromPath[str]) -> Response[bytes]:
    """One file, packed where the browser unpacks."""
    asset = site_of(request).assets.get(f"{PREFIX}{file}")
    if asset is None:
        raise NotFoundException
    headers = HEADERS | {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.kind)
    return Response(asset.body, headers=headers, media_type=asset.kind)
