"""Who may look at whose figures, and what of a question is wrong: everything at once, nothing guessed."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from ketenzorg.access.rules import permit
from ketenzorg.access.tokens import Caller
from ketenzorg.errors import BadRequest, Forbidden, Issue, NotFound
from ketenzorg.pathway.calendar import local_day
from ketenzorg.pathway.loaded import Catalogue, Pathway
from ketenzorg.pathway.region import Region
from ketenzorg.throughput.selection import Period, Selection, read_week, usual_period

CHAIN_TEAM = "ketenteam"
MOST_WEEKS = 520  # ten years
LONGEST_NAME = 20  # of a filter that is repeated in an answer
FILTERS = ("from", "to", "municipality", "organisation")


def may_see_all(caller: Caller, pathway: Pathway, region: Region) -> bool:
    """True for the chain team of the pathway, False for who takes part in it. Raises Forbidden for others."""
    permit(caller, "figures", "MeasureReport")
    organisation = region.by_id(caller.organisation)
    if organisation is not None and pathway.name in organisation.pathways:
        if organisation.kind == CHAIN_TEAM:
            return True
        if any(organisation.kind in role.kinds for role in pathway.file.roles.values()):
            return False
    raise Forbidden(
        Issue(
            nl="Deze cijfers zijn voor het ketenteam en voor wie aan dit zorgpad meedoet.",
            en="These figures are for the chain team and for those who take part in this pathway.",
        )
    )


def what_is_asked(
    pathway: str,
    filters: Mapping[str, str],
    caller: Caller,
    region: Region,
    catalogue: Catalogue,
    now: datetime,
) -> Selection:
    """The selection that the filters mean. Raises NotFound, Forbidden, or BadRequest naming every wrong filter."""
    known = _pathway(pathway, catalogue)
    sees_all = may_see_all(caller, known, region)
    issues: list[Issue] = [_unknown_filter(name) for name in filters if name not in FILTERS]
    period = _period(filters, now, issues)
    municipality = _municipality(filters.get("municipality", ""), region, issues)
    if sees_all:
        organisation = _organisation(filters.get("organisation", ""), known, region, issues)
    else:
        organisation = caller.organisation
        if filters.get("organisation", "") not in ("", str(caller.organisation)):
            issues.append(_no_such_organisation())
    if issues:
        raise BadRequest(*issues)
    return Selection(pathway=known.name, period=period, municipality=municipality, organisation=organisation)


def _pathway(name: str, catalogue: Catalogue) -> Pathway:
    try:
        return catalogue.current(name)
    except KeyError:
        known = ", ".join(catalogue.names)
        raise NotFound(
            Issue(
                nl=f"Dit zorgpad kennen we niet. Wel: {known}.",
                en=f"No such pathway. There are: {known}.",
                expression=("pathway",),
            )
        ) from None


def _period(filters: Mapping[str, str], now: datetime, issues: list[Issue]) -> Period:
    """From and to, each a week; without them the last year."""
    usual = usual_period(local_day(now))
    weeks = {name: read_week(filters[name]) for name in ("from", "to") if filters.get(name)}
    wrong = [
        Issue(
            nl="Dit is geen week. Schrijf een week als 2026-W03.",
            en="This is no week. Write a week as 2026-W03.",
            expression=(name,),
            code="value",
        )
        for name, week in weeks.items()
        if week is None
    ]
    issues += wrong
    if wrong:
        return usual
    last = weeks.get("to") or usual.last
    period = Period(weeks.get("from") or usual.ending(last).first, last)
    if not period.first <= period.last <= usual.last or period.weeks > MOST_WEEKS:
        issues.append(
            Issue(
                nl=f"De weken staan verkeerd om, liggen in de toekomst, of zijn er meer dan {MOST_WEEKS}.",
                en=f"The weeks are the wrong way round, in the future, or more than {MOST_WEEKS}.",
                expression=("from", "to"),
                code="value",
            )
        )
        return usual
    return period


def _municipality(text: str, region: Region, issues: list[Issue]) -> str | None:
    code = region.municipality_code(text) if text else None
    if text and code is None:
        known = ", ".join(f"{name} ({code})" for code, name in region.municipalities.items())
        issues.append(
            Issue(
                nl=f"Deze gemeente is niet in deze regio. Wel: {known}.",
                en=f"No such municipality in this region. There are: {known}.",
                expression=("municipality",),
                code="value",
            )
        )
    return code


def _organisation(text: str, pathway: Pathway, region: Region, issues: list[Issue]) -> UUID | None:
    if not text:
        return None
    found = next((each for each in region.organisations if str(each.id) == text), None)
    kinds = {kind for role in pathway.file.roles.values() for kind in role.kinds}
    if found is None or found.kind not in kinds or pathway.name not in found.pathways:
        issues.append(_no_such_organisation())
        return None
    return found.id


def _no_such_organisation() -> Issue:
    # The same for one that is not there and one that is somebody else's.
    return Issue(
        nl="Deze organisatie doet niet mee aan dit zorgpad, of haar cijfers zijn niet voor u.",
        en="No such organisation in this pathway, or its figures are not for you.",
        expression=("organisation",),
        code="value",
    )


def _unknown_filter(name: str) -> Issue:
    known = ", ".join(FILTERS)
    # A short word is repeated; what else somebody puts in a URL may be anything.
    return Issue(
        nl=f"Dit filter kennen we niet. Wel: {known}.",
        en=f"No such filter. There are: {known}.",
        expression=(name,) if name.isalpha() and len(name) <= LONGEST_NAME else (),
        code="not-supported",
    )
