"""Who is told of a norm that runs out, and when, as the pathway file says it."""

from datetime import datetime
from typing import Any

import msgspec

from content import CATALOGUE
from ketenzorg.events import NormEscalated, NormExceeded, NormReminded
from ketenzorg.pathway.calendar import AMSTERDAM
from ketenzorg.pathway.loaded import Pathway, compile_pathway
from ketenzorg.pathway.plan_definition import plan_definition
from ketenzorg.pathway.telling import rungs, told_by

WELZIJN, NIER = (CATALOGUE.current(name) for name in ("welzijn-op-recept", "chronische-nierschade"))
BEGAN = datetime(2026, 1, 12, 9, 30, tzinfo=AMSTERDAM)
DUE = datetime(2026, 1, 26, 23, 59, 59, tzinfo=AMSTERDAM)


def test_a_reminder_comes_before_the_end_and_an_escalation_after_it() -> None:
    found = rungs(WELZIJN.clock("eerste contact"), BEGAN, DUE)
    assert [(rung.kind, rung.at, rung.after) for rung in found] == [
        (NormReminded, datetime(2026, 1, 22, tzinfo=AMSTERDAM), ""),
        (NormExceeded, DUE, ""),
        (NormEscalated, datetime(2026, 2, 2, 23, 59, 59, tzinfo=AMSTERDAM), "5 werkdagen"),
    ]


def test_there_is_no_reminder_before_it_began() -> None:
    late = datetime(2026, 1, 23, 9, tzinfo=AMSTERDAM)
    assert rungs(WELZIJN.clock("eerste contact"), late, DUE)[0].kind is NormExceeded


def test_who_asks_and_who_performs_are_those_of_the_step() -> None:
    answer, consult = (
        rungs(NIER.clock(name), BEGAN, DUE)
        for name in ("antwoord op meekijkconsult", "eerste consult bij de nefroloog")
    )
    # Whose turn it is, then whom the file names; what is told later on is for those alone.
    assert told_by(answer[0], NIER, "meekijkconsult gevraagd") == ["nefroloog"]
    assert told_by(answer[1], NIER, "meekijkconsult gevraagd") == ["huisarts"]
    assert told_by(consult[0], NIER, "verwezen") == ["nefroloog", "huisarts"]
    assert told_by(consult[0], NIER, "verwezen (informatie gevraagd)") == ["huisarts"]


def test_everybody_is_every_role() -> None:
    for_all = msgspec.structs.replace(WELZIJN.file.norm[0], tell=["iedereen"])
    everybody = compile_pathway(msgspec.structs.replace(WELZIJN.file, norm=[for_all, *WELZIJN.file.norm[1:]]))
    [rung] = rungs(everybody.clock(for_all.name), BEGAN, DUE)
    assert set(told_by(rung, everybody, "aangemeld")) == {"verwijzer", "welzijnscoach"}


def test_the_plan_says_who_hears_of_it() -> None:
    told = action(WELZIJN, "aangemeld")["description"]
    assert (
        "eerste contact: binnen 2 weken na verwijzing ontvangen of heropenen (WOR-HOE, landelijke bron)"
        in told
    )
    assert (
        "herinnering 2 werkdagen ervoor (voorstel), 5 werkdagen later: bericht aan verwijzer (voorstel)"
        in told
    )
    control = action(NIER, "in-controle")["description"]
    assert "controle van de nierfunctie: telkens controle-interval na" in control
    assert "2 maanden later: bericht aan uitvoerder" in control


def action(pathway: Pathway, id_: str) -> dict[str, Any]:
    actions: list[dict[str, Any]] = plan_definition(pathway)["action"]
    return next(each for each in actions if each["id"] == id_)
