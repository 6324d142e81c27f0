"""What a pathway file asks for and how it decides: data elements, formulas, values to set, decision tables."""

from typing import Literal

import msgspec

from ketenzorg.pathway.words import Exit, FileTable, Priority, Source

Hit = Literal["uniek", "verzamel", "kortste"]


class DataElement(FileTable, frozen=True):
    """One named answer that the pathway wants; its name is the linkId in the questionnaire."""

    ask: str
    type: Literal["ja-nee", "getal", "code", "datum", "tekst"]
    need: Literal["vereist", "gevraagd", "mag"]
    source: Source
    for_: list[str] = msgspec.field(name="for", default_factory=list)  # roles that see it
    places: list[str] = msgspec.field(default_factory=list)  # FHIR elements that answer it too
    codes: dict[str, str] = msgspec.field(default_factory=dict)  # for type "code": code -> text
    coded_as: list[str] = msgspec.field(default_factory=list)  # "loinc|62238-1": how others name it
    measure: str = ""  # for type "getal": of units.MEASURES
    unit: str = ""  # for type "getal": UCUM, in which the file writes its limits
    lowest: float | None = None  # plausible for a person; outside it the value is named, not used
    highest: float | None = None
    max_age: str = ""
    ahead: bool = False  # for type "datum": of something planned, so it may lie ahead
    series: bool = False  # all values over time, not only the newest


class ConsentAsked(FileTable, frozen=True):
    """The questions in which a patient's explicit consent to one role stands."""

    given: str  # ja-nee
    on: str  # datum
    source: Source
    scope: str = ""  # code; empty: the question itself says for what


class Derived(FileTable, frozen=True):
    """A value that is worked out by a named, tested function of functions.FUNCTIONS."""

    title: str
    function: str
    source: Source
    from_: dict[str, str] = msgspec.field(name="from")  # input of the function -> name in this file
    settings: dict[str, int | float | str] = msgspec.field(default_factory=dict)
    shown_with: str = ""  # table: nobody sees the value unless a row of it holds and nothing is stopped


class SetValue(FileTable, frozen=True):
    """A number or a choice that the owner may set; without `value` nobody has chosen yet."""

    title: str
    source: Source
    value: int | float | str | None = None
    unit: str = ""
    choices: dict[str, str] = msgspec.field(default_factory=dict)  # for a choice: code -> text


class Urgency(FileTable, frozen=True):
    """How soon; the order in the file is from the most urgent down."""

    title: str
    priority: Priority
    source: Source


class Then(FileTable, frozen=True):
    """What follows from a row; more than one may be said."""

    alarm: str = ""  # nothing is sent, somebody phones: says "bel nu"
    first_aid: str = ""  # what to do before or while phoning
    stop: str = ""  # nothing is sent
    exit: Exit | None = None  # with `stop`: the exit reason that it stands for
    to: str = ""  # the first step of the traject: its owner acts
    capability: str = ""  # with `to`: what the site must be able to do
    urgency: str = ""
    advice: str = ""
    is_: str = msgspec.field(name="is", default="")  # the value of this table, for tables below it
    every: str = ""  # in a table with hit = "kortste"
    ask: list[str] = msgspec.field(default_factory=list)  # answers that are wanted now
    event: str = ""  # what this means for a traject that runs already


class Row(FileTable, frozen=True):
    """One line of a decision table: in this case, that follows."""

    when: dict[str, str]  # name -> cell; not named: it does not matter
    then: Then
    source: Source | None = None  # none: that of the table


class DecisionTable(FileTable, frozen=True):
    """A question, what it hangs on, and the answers."""

    name: str
    question: str
    hit: Hit
    inputs: list[str]
    rows: list[Row]
    source: Source | None = None
    if_unknown: Literal["", "vraag"] = ""  # what is not known is asked for, and nothing follows yet
    codes: dict[str, str] = msgspec.field(default_factory=dict)  # for `is`: code -> text
    otherwise: str = ""  # for `is`: its value when surely no row holds
    knowing: list[str] = msgspec.field(default_factory=list)  # with otherwise: what must be known; empty: all
