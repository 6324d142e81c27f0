"""The parameters of a search: in the address, or in the form of a POST. https://hl7.org/fhir/R4/http.html#search"""

from typing import Any
from urllib.parse import parse_qsl

from ketenzorg.api.body import read_body
from ketenzorg.api.requests import Http
from ketenzorg.api.search_numbers import refuse_elsewhere, refuse_in_address
from ketenzorg.api.shaping import take_wishes
from ketenzorg.errors import BadRequest, Issue

FORM = "application/x-www-form-urlencoded"
FIELDS = 100  # each search says itself how many it takes
AS_IT_IS: dict[str, Any] = {"keep_blank_values": True, "errors": "replace"}
Pairs = list[tuple[str, str]]


def in_address(request: Http) -> Pairs:
    """Raises BadRequest when a personal number is among them."""
    pairs = parse_qsl(request.url.query, **AS_IT_IS)
    refuse_in_address(pairs)
    return pairs


async def in_form(request: Http) -> Pairs:
    """Those of the address too. Raises BadRequest for a personal number that stands elsewhere than in identifier."""
    pairs = in_address(request)
    form = await read_body(request, (FORM,))
    try:
        pairs += parse_qsl(form.decode("utf-8", "replace"), max_num_fields=FIELDS, **AS_IT_IS)
    except ValueError:
        raise BadRequest(Issue(nl="Te veel velden.", en="Too many fields.")) from None
    refuse_elsewhere(pairs)
    return take_wishes(pairs, request.scope)
