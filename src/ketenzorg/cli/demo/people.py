"""Fictional people of the province: names, addresses and test numbers, the same at every start."""

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import NamedTuple

from ketenzorg.access.personal_numbers import is_bsn
from ketenzorg.cli.demo.words import Question

WOMEN = (
    "Trijntje", "Aaltje", "Geesje", "Hillie", "Martje", "Jantje", "Grietje", "Roelie", "Anneke", "Ingrid",
    "Marjan", "Wilma", "Femke", "Sanne", "Lotte", "Iris", "Carla", "Petra", "Ellen", "Bouwina",
)  # fmt: skip
MEN = (
    "Harm", "Geert", "Jan", "Klaas", "Derk", "Roelf", "Sietse", "Wubbo", "Berend", "Henk",
    "Kees", "Menno", "Ruben", "Thijs", "Jelle", "Bas", "Erik", "Theo", "Freerk", "Johan",
)  # fmt: skip
FAMILIES = (
    "Mulder", "Bos", "Smit", "Dijkstra", "Hoekstra", "Kuipers", "Wiersema", "Bolhuis", "Boelens", "Huizinga",
    "Doornbos", "Wolthuis", "Tuinstra", "Meijering", "Nanninga", "Timmer", "Zuidema", "Oosterhuis", "Elzinga",
    "Ritsema", "Kremer", "Scholtens", "Mellema", "de Vries", "van Dijk", "van der Laan", "Postma", "Haan",
    "Bakker", "Drenth",
)  # fmt: skip
NEWCOMERS = (  # given name, family name, gender, language (BCP 47)
    ("Fatima", "El Idrissi", "female", "ar"),
    ("Yusuf", "Yılmaz", "male", "tr"),
    ("Kidane", "Tesfay", "male", "ti"),
    ("Oksana", "Kovalenko", "female", "uk"),
    ("Ewa", "Nowak", "female", "pl"),
    ("Rania", "Haddad", "female", "ar"),
    ("Samuel", "Gebre", "male", "ti"),
    ("Nasrin", "Ahmadi", "female", "fa"),
)
STREETS = (
    "Dorpsstraat", "Kerkstraat", "Molenweg", "Schoolstraat", "Hoofdweg", "Stationslaan", "Lindenlaan",
    "Wilhelminastraat", "Havenkade", "Noorderweg", "Brinkstraat", "Eikenlaan",
)  # fmt: skip
# Municipality (CBS) -> places with the digits of a postcode and the area code of the telephone.
PLACES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "GM1979": (("Delfzijl", "9934", "0596"), ("Appingedam", "9901", "0596"), ("Loppersum", "9919", "0596")),
    "GM0014": (("Groningen", "9713", "050"), ("Haren", "9751", "050"), ("Ten Boer", "9791", "050")),
    "GM1966": (("Winsum", "9951", "0595"), ("Uithuizen", "9981", "0595"), ("Bedum", "9781", "050")),
    "GM1952": (("Hoogezand", "9602", "0598"), ("Slochteren", "9621", "0598"), ("Zuidbroek", "9636", "0598")),
    "GM1895": (("Winschoten", "9671", "0597"), ("Scheemda", "9679", "0597")),
    "GM0765": (("Oude Pekela", "9665", "0597"), ("Nieuwe Pekela", "9663", "0597")),
    "GM0037": (("Stadskanaal", "9501", "0599"), ("Musselkanaal", "9581", "0599")),
    "GM0047": (("Veendam", "9641", "0598"), ("Wildervank", "9648", "0598")),
    "GM1969": (("Leek", "9351", "0594"), ("Zuidhorn", "9801", "0594"), ("Marum", "9363", "0594")),
    "GM1950": (
        ("Ter Apel", "9561", "0599"),
        ("Vlagtwedde", "9541", "0599"),
        ("Bellingwolde", "9695", "0597"),
    ),
}
TELEPHONE_DIGITS = 10
OF_THE_EXAMPLE = "999990019"  # the number in fhir_profiles/examples: left to who tries that file
WITHOUT_NUMBER = (
    0.28  # share of patients: many systems leave it out when the other side may not see it anyway
)


class Person(NamedTuple):
    """Somebody who does not exist."""

    given: str
    family: str
    gender: str
    born: date
    language: str
    municipality: str
    place: str
    street: str
    postcode: str
    telephone: str
    bsn: str | None

    @property
    def title(self) -> str:
        """How a coach writes of this person to the practice: without a name."""
        return "Mevrouw" if self.gender == "female" else "Meneer"


class People:
    """Makes people one after the other; no two have the same number. When those are used up, people have none."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._numbers = numbers_for_tests()

    def somebody(self, code: str, municipality: str, question: Question, year: int) -> Person:
        """A person with this question, who lives in this municipality (CBS code and name)."""
        chance = self._chance
        given, family, gender, language = self._name(question)
        place, digits, area = chance.choice(PLACES[code])
        age = chance.randint(*question.ages)
        number = None if chance.random() < WITHOUT_NUMBER else next(self._numbers, None)
        return Person(
            given=given,
            family=family,
            gender=gender,
            born=date(year - age, chance.randint(1, 12), chance.randint(1, 28)),
            language=language,
            municipality=municipality,
            place=place,
            street=f"{chance.choice(STREETS)} {chance.randint(1, 180)}",
            postcode=f"{digits} {chance.choice('ABCEGHKLNPRTVX')}{chance.choice('ABCEGHKLNPRTVX')}",
            telephone=f"{area}-{_subscriber(area, chance)}",
            bsn=number,
        )

    def _name(self, question: Question) -> tuple[str, str, str, str]:
        chance = self._chance
        if question.newcomers:
            return chance.choice(NEWCOMERS)
        family = chance.choice(FAMILIES)
        if chance.random() < 0.6:  # noqa: PLR2004  (more women than men come with these questions)
            return chance.choice(WOMEN), family, "female", "nl"
        return chance.choice(MEN), family, "male", "nl"


def numbers_for_tests() -> Iterator[str]:
    """Numbers of the range for tests that pass the 11-proef: well-formed, and nobody's."""
    for number in range(999_990_020, 1_000_000_000):
        if is_bsn(str(number)) and str(number) != OF_THE_EXAMPLE:
            yield str(number)


def _subscriber(area: str, chance: Random) -> str:
    """555 and then anything, as in films: not meant to be called."""
    left = TELEPHONE_DIGITS - len(area) - len("555")
    return f"555{chance.randrange(10**left):0{left}}"
