"""Valpreventie in the demo: who fell or fears to is tested, trained, and then moves near home; all made up."""

from ketenzorg.cli.demo.chain import THAT_DAY, Chain, Kind, Next

FALLS = Chain(
    pathway="valpreventie",
    icpc="N17",
    because="onvast ter been",
    youngest=66,  # the year of birth alone does not tell who is 65
    every={
        "toestemming": True,
        "toestemming-bewegen": True,
        "toestemming-bewegen-datum": THAT_DAY,
        "woont-thuis": True,
    },
    kinds=(
        Kind(4, {"gevallen": True, "vaker-gevallen": True}),
        Kind(3, {"gevallen": True, "letsel": False, "vaker-gevallen": False}),
        Kind(3, {"gevallen": False, "bang-om-te-vallen": True}),
        Kind(2, {"gevallen": False, "moeite-met-bewegen": True, "looptest": 6}),
        Kind(2, {"uitkomst-valrisicotest": "matig", "gevallen": False}),
        Kind(2, {"gevallen": False, "bang-om-te-vallen": False, "moeite-met-bewegen": False}),
    ),
    likely={
        "gesignaleerd": (Next("aannemen", 9, (1, 2)), Next("afwijzen", 1, (1, 3))),
        "contact zoeken": (
            Next("afspraak gemaakt", 7, (1, 2)),
            Next("niet bereikt", 2, (1, 2)),
            Next("ziet ervan af", 1, (1, 4)),
        ),
        "brief sturen": (Next("brief verstuurd", 1, (1, 2)),),
        "wachten op antwoord": (Next("afspraak gemaakt", 1, (2, 8)), Next("geen antwoord", 1, (10, 14))),
        "test afgesproken": (Next("test begonnen", 1, (1, 6)),),
        "test loopt": (
            Next("getest: laag", 3, (1, 1)),
            Next("getest: matig", 3, (1, 1)),
            Next("getest: hoog", 4, (1, 1)),
        ),
        "valanalyse": (Next("valanalyse gedaan", 1, (5, 24)),),
        "beweeginterventie gevraagd": (
            Next("interventie aannemen", 8, (1, 4)),
            Next("ziet ervan af", 1, (2, 6)),
        ),
        "interventie aangenomen": (Next("interventie gestart", 1, (8, 34)),),
        "interventie loopt": (
            Next("aanwezig geweest", 4, (4, 8)),
            Next("geëvalueerd: naar bewegen in de buurt", 3, (30, 50)),
            Next("afhaken", 1, (10, 30)),
        ),
        "beweegaanbod gevraagd": (Next("plek gevonden", 1, (2, 8)),),
        "plek in de buurt": (Next("begonnen met bewegen", 1, (3, 26)),),
    },
    given={
        "dertien-factoren": (
            "Duizelig bij opstaan, zwakke benen, losse kleden, drie slaapverwekkende middelen.",
        ),
        "adviezen": ("Kleden weg, medicijnen laten nakijken, oefenen met begeleiding.",),
    },
)
