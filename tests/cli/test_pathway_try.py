"""`ketenzorg pathway try` and `check --json`, as somebody at a terminal meets them: what is typed, what is said."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ketenzorg.cli import app

PATHWAYS = Path(__file__).parents[2] / "pathways"
QUESTIONS = 31  # of chronische-nierschade


def said(*typed: str) -> str:
    answer = CliRunner().invoke(
        app, ["pathway", "try", "chronische-nierschade"], input="\n".join(typed) + "\n"
    )
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.mark.parametrize("answer", ["j", ""])
def test_an_alarm_is_said_at_once_and_nothing_more_is_asked(answer: str) -> None:
    output = said(answer)
    assert "ALARM: Verstuur niets." in output
    assert "Wat vraagt u?" not in output


def test_a_rise_of_creatinine_alarms_as_soon_as_it_is_typed() -> None:
    output = said("n", "1", "", "31-1-1950", "90 2026-02-01; 160 2026-02-02")
    assert "ALARM: De kreatininereeks voldoet aan acute nierschade: bel nu" in output
    assert "eGFR (CKD-EPI)" not in output


def test_what_cannot_be_read_is_asked_again() -> None:
    output = said("misschien", "n", "7", "3", "", "31 januari")
    assert output.count("Zo niet te lezen.") == 3
    assert output.count("Wat vraagt u?") == 2


def test_the_walk_says_who_acts_and_before_when_and_takes_one_step_at_a_time() -> None:
    known = ["n", "3", "", "31-1-1950", "90", "50", "9"]
    unknown = [""] * (QUESTIONS - len(known))
    output = said(*known, *unknown, "99", "2", "95", "")
    assert (
        "Aan zet: Huisarts (of POH), ‘Afwijkende waarde: herhalen en bevestigen’ [wie is aan zet;" in output
    )
    assert "Urgentie: Regulier" in output
    assert "Advies: Albuminurie vanaf 3 mg/mmol" in output
    assert "Task.status in-progress" in output
    assert "waarde herhalen [landelijke bron]" in output
    assert "Kies 1 tot en met" in output
    assert "Bevestigd: risicocategorie vastleggen (aan zet: huisarts" in output


def test_an_unknown_pathway_is_named_with_those_that_there_are() -> None:
    answer = CliRunner().invoke(app, ["pathway", "try", "nier"])
    assert answer.exit_code == 1
    assert "chronische-nierschade" in answer.output


def test_findings_as_json(tmp_path: Path) -> None:
    shutil.copytree(PATHWAYS, tmp_path / "pathways")
    file = tmp_path / "pathways" / "welzijn-op-recept" / "0.1.0.toml"
    file.write_text(file.read_text("utf-8").replace('max    = "8 weken"', 'max    = "8 weeks"'), "utf-8")
    answer = CliRunner().invoke(app, ["pathway", "check", "--json", str(tmp_path / "pathways")])
    assert answer.exit_code == 1
    [finding] = json.loads(answer.output)
    assert finding["file"] == "welzijn-op-recept/0.1.0.toml"
    assert finding["line"] > 1
    assert finding["place"].endswith(".max")
