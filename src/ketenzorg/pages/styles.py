"""The style sheets over HTTP: kept by browsers for ever, since a changed one has another address."""

from litestar import Response, get
from litestar.exceptions import NotFoundException

from ketenzorg.pages.assets import PREFIX
from ketenzorg.pages.render import HEADERS
from ketenzorg.pages.site import Http, site_of

FOR_EVER = "public, max-age=31536000, immutable"


@get("/static/{file:str}")
async def style_sheet(request: Http, file: str) -> Response[bytes]:
    """One sheet, packed where the browser unpacks."""
    asset = site_of(request).assets.get(f"{PREFIX}{file}")
    if asset is None:
        raise NotFoundException
    headers = HEADERS | {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type="text/css; charset=utf-8"
        )
    return Response(asset.body, headers=headers, media_type="text/css; charset=utf-8")
