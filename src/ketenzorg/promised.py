"""The numbers in what we promise, each from where the program itself has it."""

from ketenzorg.access.limits import BURST_S
from ketenzorg.api.body import MAX_BODY
from ketenzorg.api.requests import LONGEST_KEY
from ketenzorg.coordination.hearing.replaying import MOST as EVENTS_AT_ONCE
from ketenzorg.coordination.hearing.subscribing import BOTH_SIGN
from ketenzorg.coordination.hearing.subscribing import MOST as SUBSCRIPTIONS
from ketenzorg.coordination.hearing.subscription_asked import DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S
from ketenzorg.coordination.once import TRY_AGAIN_S
from ketenzorg.delivery import schedule
from ketenzorg.delivery.serving import AT_ONCE
from ketenzorg.fhir import bounds
from ketenzorg.pathway.region import Region
from ketenzorg.referral.content import RESENT_ANEW
from ketenzorg.settings import Settings
from ketenzorg.store.retries import KEPT, UNDER_WAY

HOUR_S = 3600


def promised_numbers(settings: Settings, region: Region) -> dict[str, str]:
    """Name in promises.toml -> as it is read there."""
    late = region.file.undelivered
    return {
        "resent_anew": ", ".join(f"`{name}`" for name in sorted(RESENT_ANEW)),
        "key_days": str(KEPT.days),
        "key_retry_s": str(TRY_AGAIN_S),
        "key_under_way_s": f"{UNDER_WAY.total_seconds():.0f}",
        "key_length": str(LONGEST_KEY),
        "digits": str(bounds.MAX_DIGITS),
        "timeout_s": str(DEFAULT_TIMEOUT_S),
        "longest_timeout_s": str(LONGEST_TIMEOUT_S),
        "both_sign_h": f"{BOTH_SIGN.total_seconds() / HOUR_S:.0f}",
        "first_s": f"{schedule.FIRST_S:.0f}",
        "longest_wait_s": f"{schedule.LONGEST_S:,.0f}",
        "jitter": f"{schedule.JITTER:.0%}".rstrip("%"),
        "parked_h": f"{schedule.PARKED_AFTER.total_seconds() / HOUR_S:.0f}",
        "trip": str(schedule.TRIP),
        "rest_s": f"{schedule.LONGEST_REST_S:.0f}",
        "at_once_to_one": str(AT_ONCE),
        "late": f"{late.stat.minutes} minutes (stat), {late.asap.minutes} (asap), {late.urgent.minutes} (urgent) or "
        f"{late.routine.minutes} (routine)",
        "events_at_once": str(EVENTS_AT_ONCE),
        "event_days": str(settings.event_days),
        "body_bytes": f"{MAX_BODY:,}",
        "entries": str(bounds.MAX_ENTRIES),
        "depth": str(bounds.MAX_DEPTH),
        "rate": str(settings.client_rate),
        "burst_s": f"{BURST_S:.0f}",
        "at_once": str(settings.at_once),
        "subscriptions": str(SUBSCRIPTIONS),
        "log_years": str(settings.audit_years),
    }
