"""The point scores, each threshold from both sides, and what an unknown item does to them."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from ketenzorg.pathway.facts import Choice, Number
from ketenzorg.pathway.functions.function import Fact, evaluate
from ketenzorg.pathway.functions.functions import FUNCTIONS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def facts(name: str, said: Mapping[str, str | int]) -> dict[str, Fact | None]:
    """Every input answered: "nee", a man of 50 with 120 mmHg, unless said otherwise; "?" is unknown."""
    usual: dict[str, str | int] = {"leeftijd": 50, "bovendruk": 120, "geslacht": "man"}
    found: dict[str, Fact | None] = {}
    for wanted in FUNCTIONS[name].inputs:
        value = said.get(wanted.name, usual.get(wanted.name, "nee"))
        if value == "?":
            found[wanted.name] = None
        elif isinstance(value, int):
            unit = {"leeftijd": "a", "bovendruk": "mm[Hg]", "marburg": "{score}"}[wanted.name]
            found[wanted.name] = Number.of(value, unit)
        else:
            found[wanted.name] = Choice.of(value)
    return found


def result(name: str, said: Mapping[str, str | int], **settings: str) -> Number | Choice:
    return evaluate(FUNCTIONS[name], facts(name, said), NOW, settings)


@pytest.mark.parametrize(
    ("name", "said", "score"),
    [
        ("cha2ds2-va", {"leeftijd": 64}, 0),
        ("cha2ds2-va", {"leeftijd": 65}, 1),
        ("cha2ds2-va", {"leeftijd": 74}, 1),
        ("cha2ds2-va", {"leeftijd": 75}, 2),
        ("cha2ds2-va", {"hartfalen": "ja"}, 1),
        ("cha2ds2-va", {"hypertensie": "ja"}, 1),
        ("cha2ds2-va", {"diabetes": "ja"}, 1),
        ("cha2ds2-va", {"beroerte": "ja"}, 2),
        ("cha2ds2-va", {"vaatlijden": "ja"}, 1),
        ("cha2ds2-vasc", {"leeftijd": 75}, 2),
        ("cha2ds2-vasc", {"leeftijd": 75, "geslacht": "vrouw"}, 3),
        ("has-bled", {"bovendruk": 160}, 0),
        ("has-bled", {"bovendruk": 161}, 1),
        ("has-bled", {"leeftijd": 65}, 0),
        ("has-bled", {"leeftijd": 66}, 1),
        ("has-bled", {"nierfunctie-gestoord": "ja", "leverfunctie-gestoord": "ja"}, 2),
        ("has-bled", {"beroerte": "ja", "bloeding": "ja", "labiele-inr": "ja"}, 3),
        ("has-bled", {"bloedingsmedicatie": "ja", "alcohol": "ja"}, 2),
        ("marburg", {"drukpijn": "ja"}, 0),
        ("marburg", {"drukpijn": "nee"}, 1),
        ("marburg", {"drukpijn": "ja", "leeftijd": 54}, 0),
        ("marburg", {"drukpijn": "ja", "leeftijd": 55}, 1),
        ("marburg", {"drukpijn": "ja", "leeftijd": 64, "geslacht": "vrouw"}, 0),
        ("marburg", {"drukpijn": "ja", "leeftijd": 65, "geslacht": "vrouw"}, 1),
        ("marburg", {"vaatlijden": "ja", "denkt-hart": "ja", "erger-bij-inspanning": "ja"}, 4),
    ],
)
def test_a_score_from_both_sides_of_each_threshold(name: str, said: dict[str, str | int], score: int) -> None:
    assert result(name, said) == Number.of(score, "{score}")


@pytest.mark.parametrize(("name", "most"), [("cha2ds2-va", 8), ("cha2ds2-vasc", 9), ("has-bled", 9)])
def test_everything_at_once_is_the_maximum_and_nothing_known_is_the_whole_range(name: str, most: int) -> None:
    all_yes = {one.name: "ja" for one in FUNCTIONS[name].inputs if one.codes == ("ja", "nee")}
    assert result(name, {**all_yes, "leeftijd": 90, "geslacht": "vrouw", "bovendruk": 180}) == Number.of(
        most, "{score}"
    )
    unknown = evaluate(FUNCTIONS[name], {}, NOW)
    assert isinstance(unknown, Number)
    assert (unknown.low, unknown.high) == (0, most)
    assert set(unknown.missing) == {one.name for one in FUNCTIONS[name].inputs}


def test_an_unknown_item_widens_the_score_by_its_own_weight_and_is_named() -> None:
    found = result("cha2ds2-va", {"leeftijd": 70, "beroerte": "?"})
    assert isinstance(found, Number)
    assert (found.low, found.high, found.missing) == (1, 3, ("beroerte",))


def test_pressing_pain_unknown_may_still_give_the_point() -> None:
    found = result("marburg", {"drukpijn": "?"})
    assert isinstance(found, Number)
    assert (found.low, found.high, found.missing) == (0, 1, ("drukpijn",))


def test_what_does_not_matter_is_not_missed() -> None:
    assert result("marburg", {"leeftijd": 65, "geslacht": "?", "drukpijn": "ja"}) == Number.of(1, "{score}")


@pytest.mark.parametrize(
    ("score", "kind"), [(0, "laag"), (2, "laag"), (3, "midden"), (4, "hoog"), (5, "hoog")]
)
def test_the_class_of_the_marburg_score(score: int, kind: str) -> None:
    assert result("marburg-klasse", {"marburg": score}) == Choice.of(kind)


def test_a_class_over_a_range_is_all_that_it_can_be() -> None:
    found = evaluate(
        FUNCTIONS["marburg-klasse"],
        {"marburg": Number(Number.of(2, "").low, Number.of(3, "").low, "{score}", ("drukpijn",))},
        NOW,
    )
    assert found == Choice(("laag", "midden"), ("drukpijn",))


@pytest.mark.parametrize(
    ("said", "usable"),
    [
        ({"leeftijd": 34}, ("nee",)),
        ({"leeftijd": 35}, ("ja",)),
        ({"spoed-mogelijk": "ja"}, ("nee",)),
        ({"spoed-mogelijk": "?"}, ("ja", "nee")),
        ({"oorzaak-duidelijk": "ja"}, ("nee",)),
        ({"coronairlijden-bekend": "ja"}, ("nee",)),
    ],
)
def test_marburg_is_shown_only_where_it_may_be(said: dict[str, str | int], usable: tuple[str, ...]) -> None:
    found = result("marburg-bruikbaar", said)
    assert isinstance(found, Choice)
    assert found.possible == usable


def test_the_conflict_on_known_coronary_disease_has_a_setting() -> None:
    found = evaluate(
        FUNCTIONS["marburg-bruikbaar"],
        facts("marburg-bruikbaar", {"coronairlijden-bekend": "ja"}),
        NOW,
        {"bij-bekend-coronairlijden": "tonen"},
    )
    assert found == Choice.of("ja")


@pytest.mark.parametrize(
    ("marks", "kinds"),
    [
        (("ja", "ja", "ja"), ("typisch",)),
        (("ja", "ja", "nee"), ("atypisch",)),
        (("nee", "ja", "nee"), ("aspecifiek",)),
        (("ja", "ja", "?"), ("typisch", "atypisch")),
        (("ja", "?", "nee"), ("atypisch", "aspecifiek")),
        (("?", "?", "?"), ("typisch", "atypisch", "aspecifiek")),
        (("nee", "nee", "?"), ("aspecifiek",)),
    ],
)
def test_angina_is_typed_by_the_number_of_marks(marks: tuple[str, str, str], kinds: tuple[str, ...]) -> None:
    names = ("drukkend-retrosternaal", "uitgelokt", "weg-in-rust")
    found = result("angina-type", dict(zip(names, marks, strict=True)))
    assert isinstance(found, Choice)
    assert found.possible == kinds


ANSWERS = st.sampled_from(["ja", "nee", "?"])


@forall(
    st.sampled_from(["cha2ds2-va", "cha2ds2-vasc", "has-bled", "marburg"]),
    st.lists(ANSWERS, min_size=9, max_size=9),
    st.integers(20, 100),
    st.data(),
)
def test_filling_in_an_unknown_only_narrows_the_score(
    name: str, answers: list[str], age: int, data: st.DataObject
) -> None:
    items = [one.name for one in FUNCTIONS[name].inputs if one.codes == ("ja", "nee")]
    said: dict[str, str | int] = dict(zip(items, answers, strict=False))
    said |= {"leeftijd": age, "geslacht": "?"}
    filled = {key: data.draw(st.sampled_from(["ja", "nee"])) if v == "?" else v for key, v in said.items()}
    filled["geslacht"] = data.draw(st.sampled_from(["man", "vrouw"]))
    wide, exact = result(name, said), result(name, filled)
    assert isinstance(wide, Number)
    assert isinstance(exact, Number)
    assert exact.exact is not None
    assert wide.low <= exact.exact <= wide.high <= FUNCTIONS[name].returns.high
