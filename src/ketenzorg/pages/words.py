"""Moments, names and numbers as a person says them, in Dutch."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ketenzorg.pathway.calendar import AMSTERDAM, MONTHS, day_in_words, week_in_words
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.worklist import MOST, Spot

DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
NEAR = {-1: "gisteren", 0: "vandaag", 1: "morgen"}
LANGUAGES = {
    "nl": "Nederlands", "en": "Engels", "de": "Duits", "fr": "Frans", "ar": "Arabisch", "tr": "Turks",
    "ti": "Tigrinya", "uk": "Oekraïens", "pl": "Pools", "fa": "Farsi", "so": "Somalisch", "es": "Spaans",
    "ru": "Russisch", "zh": "Chinees", "fy": "Fries", "nds": "Nedersaksisch",
}  # fmt: skip
week = week_in_words
SHORT = 60  # characters of a question that stands above its answer
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+))?")
DIALLED = re.compile(r"[^0-9+]")


def day(at: datetime, now: datetime) -> str:
    """vandaag, vrijdag 23 januari, 3 maart 2025."""
    here, today = at.astimezone(AMSTERDAM).date(), now.astimezone(AMSTERDAM).date()
    near = NEAR.get((here - today).days)
    if near:
        return near
    if here.year != today.year:
        return day_in_words(here)
    return f"{DAYS[here.weekday()]} {here.day} {MONTHS[here.month - 1]}"


def full_day(at: datetime) -> str:
    """23 januari 2026, as in a letter."""
    return day_in_words(at.astimezone(AMSTERDAM).date())


def full_date(day: date) -> str:
    """The same of a day."""
    return day_in_words(day)


def clock(at: datetime) -> str:
    """10.30 uur."""
    return f"{at.astimezone(AMSTERDAM):%H.%M} uur"


def machine(at: datetime) -> str:
    """The value of a time element."""
    return at.astimezone(AMSTERDAM).isoformat(timespec="minutes")


def late_by(at: datetime, now: datetime) -> str:
    """Sinds vandaag te laat, 1 dag te laat, 12 dagen te laat."""
    days = (now.astimezone(AMSTERDAM).date() - at.astimezone(AMSTERDAM).date()).days
    if days < 1:
        return "te laat sinds vandaag"
    return f"{days} {'dag' if days == 1 else 'dagen'} te laat"


def name(patient: Mapping[str, Any]) -> str:
    """The official name, else the first that there is."""
    names = patient.get("name", [])
    chosen = next((each for each in names if each.get("use") == "official"), names[0] if names else {})
    text = chosen.get("text") or " ".join([*chosen.get("given", ()), chosen.get("family", "")])
    return " ".join(text.split()) or "Naam onbekend"


def place(patient: Mapping[str, Any]) -> str:
    """Where somebody lives: the town, and the municipality where that is another word."""
    home: dict[str, str] = next(iter(patient.get("address", ())), {})
    words = (home.get("city"), home.get("district"))
    return ", ".join(dict.fromkeys(word for word in words if word))


def address(patient: Mapping[str, Any]) -> list[str]:
    """The lines on an envelope."""
    found: dict[str, Any] = next(iter(patient.get("address", ())), {})
    town = " ".join(word for word in (found.get("postalCode"), found.get("city")) if word)
    return [line for line in (*found.get("line", ()), town) if line]


def reached(person: Mapping[str, Any], *systems: str) -> Iterator[str]:
    """Telephone numbers or e-mail addresses."""
    for contact in person.get("telecom", ()):
        if contact.get("system") in systems and contact.get("value"):
            yield contact["value"]


def dialled(number: str) -> str:
    """A telephone number for a tel: link."""
    return DIALLED.sub("", number)


def languages(patient: Mapping[str, Any]) -> str:
    """The languages that somebody speaks."""
    found = []
    for each in patient.get("communication", ()):
        language = each.get("language", {})
        codings = language.get("coding", ())
        codes = [LANGUAGES.get(coding.get("code", "").partition("-")[0]) for coding in codings]
        shown = [coding.get("display") or coding.get("code") for coding in codings]
        found.append(next((word for word in (*codes, language.get("text"), *shown) if word), ""))
    return ", ".join(word for word in found if word)


def said(answer: str) -> str:
    """An answer of a form: Ja, 12 januari 2026, or the words as they are."""
    if ISO_DAY.fullmatch(answer):
        with suppress(ValueError):  # it only looks like a day
            at = datetime.fromisoformat(answer)
            return f"{full_day(at)}, {clock(at)}" if at.tzinfo else day_in_words(at.date())
    return sentence(answer)


def sentence(text: str) -> str:
    """With a capital to begin with; the others stay: DOAC-controles."""
    return text[:1].upper() + text[1:]


def asked(name: str, pathway: Pathway) -> str:
    """What an answer is to: a yes or a no says nothing without the question; a long one has its name."""
    element = pathway.file.data.get(name)
    if element is None or element.type == "tekst":
        return label(name)
    return element.ask if element.type == "ja-nee" or len(element.ask) <= SHORT else label(name)


def label(name: str) -> str:
    """A name of the pathway file as a heading: praktische-beperkingen becomes Praktische beperkingen."""
    return sentence(name.replace("-", " "))


def amount(count: int) -> str:
    """How many, as far as was counted."""
    return f"{MOST}+" if count > MOST else str(count)


def spot(place: Spot) -> str:
    """A place in a list, for an address."""
    return f"{(place.at - EPOCH) // timedelta(microseconds=1)}_{place.traject.hex}_{place.role}"


def slug(event: str) -> str:
    """An event in an address."""
    return event.replace(" ", "-")
