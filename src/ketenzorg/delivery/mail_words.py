"""What our e-mail says: that there is something to read, and where. Never who or what it is about."""

from datetime import datetime
from uuid import UUID

from ketenzorg.delivery.mailing import Mail
from ketenzorg.pathway.calendar import AMSTERDAM, day_in_words
from ketenzorg.store.outbox import Event

HOMES = {"huisartspraktijk": "/praktijk", "welzijnsorganisatie": "/werk"}  # kind of organisation -> its list
HURRY = """
Het gaat ook om spoed: laat uw collega's nu op hun pagina kijken.
"""
FOOT = """
In deze e-mail staan geen namen en geen medische gegevens: e-mail kan door anderen worden gelezen.
Deze e-mail is door een computer verstuurd. U kunt er niet op antwoorden.
"""


def welcome(id_: UUID, to: str, base_url: str) -> Mail:
    """The first e-mail: that more will come."""
    return Mail(
        id_,
        to,
        "U krijgt hier voortaan bericht van ketenzorg",
        f"""Goedendag,

Uw organisatie wil op dit adres horen wanneer er iets verandert in een verwijzing.
Vanaf nu sturen wij u dan een e-mail. U leest het op:

{base_url}

Is dit niet uw organisatie? Dan kunt u deze e-mail weggooien. Er staat niets vertrouwelijks in.
{FOOT}""",
    )


def something_to_read(id_: UUID, to: str, event: Event, kind: str, *, named: bool, base_url: str) -> Mail:
    """That a referral has changed, with the address of its page where the reader asked for that much."""
    home = HOMES.get(kind, "")
    page = f"{home}/{event.resource}" if named and home and event.type == "Task" else home
    return Mail(
        id_,
        to,
        "Er is nieuws over een verwijzing",
        f"""Goedendag,

Er is iets veranderd in een verwijzing waar uw organisatie aan meewerkt.
U leest het hier, nadat u bent ingelogd:

{base_url}{page}
{FOOT}""",
    )


def not_arriving(
    id_: UUID, to: str, *, events: int, since: datetime, urgent: bool, why: str, base_url: str
) -> Mail:
    """For who looks after a receiver: what we send does not arrive."""
    here = since.astimezone(AMSTERDAM)
    waiting = "1 bericht" if events == 1 else f"{events} berichten"
    hurry = HURRY if urgent else ""
    return Mail(
        id_,
        to,
        "Berichten van ketenzorg komen bij u niet aan",
        f"""Goedendag,

Wat wij uw organisatie sturen, komt niet aan. Er wacht {waiting}, het oudste sinds
{day_in_words(here.date())}, {here:%H.%M} uur. Wat uw systeem het laatst antwoordde: {why or "niets"}.
{hurry}
Wij blijven het proberen. Werkt uw systeem weer, dan krijgt het alles in de goede volgorde.
Wat er wacht en waarom, zien uw mensen na het inloggen op:

{base_url}/berichten

Uw systeem vraagt het aan uw abonnement (Subscription/$status en $events):

{base_url}/fhir/Subscription
{FOOT}""",
    )


def turned_off(id_: UUID, to: str, *, why: str, base_url: str) -> Mail:
    """For who looks after a receiver: we stopped sending."""
    return Mail(
        id_,
        to,
        "Wij sturen uw organisatie geen berichten meer",
        f"""Goedendag,

Uw systeem antwoordde dat het geen berichten meer wil ({why}). Wij sturen nu niets meer.
Is dat niet de bedoeling? Vraag het abonnement dan opnieuw aan. U vindt het hier:

{base_url}/fhir/Subscription
{FOOT}""",
    )
