"""Lines of the audit log that are old enough go; what is left begins after a link that was signed for."""

from datetime import datetime

from ketenzorg.access.audit_seal import Seal, statement
from ketenzorg.errors import Invalid, Issue
from ketenzorg.store.audit_chain import AuditChain

LINES = 1_000  # in one piece


async def purge(chain: AuditChain, seal: Seal, before: datetime, *, years: int, now: datetime) -> int:
    """Take away what was chained before a moment; how many lines went. Raises Invalid for one within `years`."""
    newest = _years_ago(now, years)
    if before > newest:
        raise Invalid(
            Issue(
                nl=f"Een regel van het logboek blijft {years} jaar: wat van na {newest:%d-%m-%Y} is, mag nog niet weg.",
                en=f"A line of the log stays {years} years: nothing from after {newest:%Y-%m-%d} may go.",
            )
        )
    head = await chain.may_go(before)
    if head is not None:
        signed = seal.sign(statement("purge", chain.region, head.n, head.hash, now))
        await chain.sign_purge(head.n, now, seal.key, signed)
    gone = 0
    while piece := await chain.sweep(LINES):  # also what an earlier purge was interrupted in
        gone += piece
    return gone


def _years_ago(now: datetime, years: int) -> datetime:
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # 29 February
        return now.replace(year=now.year - years, day=28)
