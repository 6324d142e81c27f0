"""The letter as a PDF that can be printed, kept and read aloud: from the document itself, so both say the same."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from ketenzorg.coordination.reading.letter import XHTML
from ketenzorg.fhir.dates import moment_of
from ketenzorg.pathway.calendar import AMSTERDAM, day_in_words

FONT = "source"  # Source Sans Pro (SIL OFL): names from all of Europe have their letters
MARGIN_MM = 22.0
BODY_PT = 10.5
LINE_MM = 5.4
BSN = ("http://fhir.nl/fhir/NamingSystem/bsn",)


def letter_pdf(composition: Mapping[str, Any], patient: Mapping[str, Any]) -> bytes:
    """The same letter gives the same bytes. `patient` is empty when the reader does not see the patient."""
    pdf = _Sheet(composition["title"], composition["author"][0].get("display", ""), composition["date"])
    pdf.heading(composition["title"])
    if composition["status"] != "final":
        pdf.paragraph("Ingetrokken. Deze brief geldt niet.", bold=True)
    pdf.fact("Van", composition["author"][0].get("display", ""))
    pdf.fact("Datum", _day(composition["date"]))
    for name, value in _patient(patient):
        pdf.fact(name, value)
    for section in composition.get("section", ()):
        pdf.subheading(section["title"])
        for each in ElementTree.fromstring(section["text"]["div"]).iter(f"{{{XHTML}}}p"):  # noqa: S314  (ours)
            pdf.paragraph(each.text or "")
    return bytes(pdf.output())


class _Sheet(FPDF):
    """Pages with our margins and font, and at the foot whose letter it is."""

    def __init__(self, title: str, author: str, date: str) -> None:
        super().__init__(format="A4", unit="mm")
        fonts = files("font_source_sans_pro") / "files"
        self.add_font(FONT, "", str(fonts / "SourceSansPro-Regular.ttf"))
        self.add_font(FONT, "B", str(fonts / "SourceSansPro-Semibold.ttf"))
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM)
        self.set_title(title)
        self.set_author(author)
        self.set_lang("nl")
        self.set_creation_date(moment_of(date))
        self.add_page()

    def footer(self) -> None:
        """fpdf2 calls it at the end of each page."""
        self.set_y(-MARGIN_MM + 6)
        self.set_font(FONT, "", 8.5)
        self.set_text_color(90)
        self.cell(0, 5, f"{self.author} · {self.title} · bladzijde {self.page_no()}")
        self.set_text_color(0)

    def heading(self, text: str) -> None:
        self.set_font(FONT, "B", 17)
        self._write(text, 9)
        self.ln(2)

    def subheading(self, text: str) -> None:
        self.ln(3)
        self.set_font(FONT, "B", 12)
        self._write(text, 7)

    def paragraph(self, text: str, *, bold: bool = False) -> None:
        self.set_font(FONT, "B" if bold else "", BODY_PT)
        self._write(text, LINE_MM)
        self.ln(1)

    def fact(self, name: str, value: str) -> None:
        self.set_font(FONT, "B", BODY_PT)
        self.cell(35, LINE_MM, name)
        self.set_font(FONT, "", BODY_PT)
        self._write(value, LINE_MM)

    def _write(self, text: str, height: float) -> None:
        self.multi_cell(0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _patient(patient: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in patient.get("name", ())[:1]:
        words = name.get("text") or " ".join((*name.get("given", ()), name.get("family", "")))
        yield "Patiënt", words.strip()
    if "birthDate" in patient:
        yield "Geboren", _day(patient["birthDate"])
    for identifier in patient.get("identifier", ()):
        if identifier.get("system") in BSN:
            yield "BSN", identifier.get("value", "")


def _day(text: str) -> str:
    """A FHIR date or moment as a person writes it; a year or a month stays as it is."""
    return day_in_words(moment_of(text).astimezone(AMSTERDAM).date()) if text.count("-") > 1 else text
