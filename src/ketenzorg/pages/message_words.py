"""How messages fare, in words for the people of the organisation that they go to."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ketenzorg.pages.words import EPOCH
from ketenzorg.store.messages import Mailbox, Message, Spot

STATUS = {
    "active": "Actief",
    "requested": "Wacht op antwoord",
    "error": "Fout",
    "off": "Uit",
}
ABOUT = {
    "Task": "hoe het met verwijzingen staat",
    "ServiceRequest": "verwijzingen",
    "CarePlan": "zorgplannen",
}
WHY = {
    "timeout": "Uw systeem antwoordde niet op tijd",
    "connection": "Wij krijgen geen verbinding",
    "address": "Naar dit adres mogen of kunnen wij niet sturen",
    "secret": "Het geheim waarmee wij ondertekenen, is niet te lezen. Vraag een nieuw geheim aan",
    "internal": "Er ging bij ons iets mis",
    "no mail server": "Er is geen mailserver om e-mail mee te sturen",
}
HTTP = {  # the first that fits: from this status on
    500: "Uw systeem had zelf een storing",
    429: "Uw systeem had het te druk",
    413: "Uw systeem vond het bericht te groot",
    410: "Uw systeem wil geen berichten meer",
    404: "Uw systeem kent dit adres niet",
    401: "Uw systeem liet ons niet binnen",
    400: "Uw systeem weigerde het bericht",
    300: "Uw systeem verwees ons door naar een ander adres. Dat volgen wij niet",
}
EXACT = {402: 400, 405: 400, 406: 400, 408: 500, 409: 400, 411: 400, 412: 400, 415: 400, 422: 400}
ANSWERED = re.compile(r"(http|smtp) ([0-9]{3})\Z")
HANDSHAKE = "handshake: "


def where(mailbox: Mailbox) -> str:
    """To which address; what may be a secret in it stays out."""
    if mailbox.channel == "polling":
        return "Uw systeem haalt ze zelf op"
    if mailbox.channel == "email":
        return f"E-mail naar {mailbox.endpoint.removeprefix('mailto:')}"
    parts = urlsplit(mailbox.endpoint)
    return f"Uw systeem: {parts.netloc.rpartition('@')[2]}{parts.path}"


def why(error: str) -> str:
    """What went wrong, as a sentence without its full stop."""
    error = error.removeprefix(HANDSHAKE)
    match = ANSWERED.match(error)
    if match is None:
        return WHY.get(error, "Het lukte niet")
    code = int(match[2])
    if match[1] == "smtp":
        return f"De mailserver nam de e-mail niet aan (antwoord {code})"
    known = EXACT.get(code, code)
    said = next(
        (words for least, words in HTTP.items() if known >= least), "Het antwoord was niet te begrijpen"
    )
    return f"{said} (antwoord {code})"


def next_try(message: Message, mailbox: Mailbox) -> datetime:
    """When it is sent again."""
    at = message.run_at or message.created
    return max(at, mailbox.rest_until or at)


def amount(count: int, one: str, more: str) -> str:
    """1 bericht, 2 berichten."""
    return f"{count} {one if count == 1 else more}"


def spot(place: Spot) -> str:
    """A place in a list, for an address."""
    return f"{(place.at - EPOCH) // timedelta(microseconds=1)}_{place.number}"
