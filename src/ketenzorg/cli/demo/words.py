"""What people of the demo ask for help with, in their own words, and what coaches say of it; nobody exists."""

from typing import NamedTuple

ANY_AGE = (18, 92)


class Question(NamedTuple):
    """One kind of question: why somebody comes, what helps, what the coach lets the practice know."""

    icpc: str  # http://hl7.org/fhir/sid/icpc-1-nl
    practice_says: str
    why: tuple[str, ...]
    wish: tuple[str, ...]
    goals: tuple[str, ...]
    activities: tuple[str, ...]
    outcome: str  # follows "{Wie} "
    ages: tuple[int, int] = ANY_AGE
    municipalities: tuple[str, ...] = ()  # empty: everywhere
    debts: bool = False
    newcomers: bool = False


QUESTIONS = (
    Question(
        "Z15",
        "verlies van de partner",
        (
            "Vorig jaar is mijn partner overleden. De dagen zijn lang en stil.",
            "Na veertig jaar samen zit ik nu alleen aan tafel. Daar kan ik niet aan wennen.",
            "Mijn zus, met wie ik alles deed, is er niet meer. Ik kom bijna de deur niet meer uit.",
        ),
        (
            "Ik wil graag weer onder de mensen komen.",
            "Ik zou graag met iemand samen eten of wandelen.",
            "Ik wil weer iets hebben om voor op te staan.",
        ),
        ("Twee keer per week iets met anderen doen.", "Weer zelf naar het dorp durven gaan."),
        ("de koffieochtend in het dorpshuis", "de wandelgroep op dinsdag", "samen eten in het buurthuis"),
        "heeft er twee vaste contacten bij en slaapt beter. Het verdriet blijft, maar de week heeft weer vorm.",
        ages=(62, 92),
    ),
    Question(
        "Z04",
        "weinig contact met anderen",
        (
            "Ik ben dichter bij mijn kinderen gaan wonen, maar ik ken hier verder niemand.",
            "Sinds mijn pensioen zijn er dagen dat ik niemand spreek.",
            "De meeste vrienden van vroeger zijn verhuisd of overleden.",
            "Ik zie slecht en durf alleen de straat niet meer op.",
        ),
        (
            "Ik wil mensen leren kennen met wie ik kan lachen.",
            "Ik maak graag muziek, het liefst met anderen.",
            "Ik kan nog veel en wil graag iets betekenen.",
        ),
        ("Elke week één vaste afspraak buiten de deur.", "Iets doen waar een ander ook wat aan heeft."),
        ("het koor in de dorpskerk", "voorlezen op de basisschool", "de biljartmiddag in het buurthuis"),
        "heeft een vaste afspraak in de week en belt nu zelf met iemand als het een slechte dag is.",
        ages=(45, 92),
    ),
    Question(
        "Z14",
        "zwaar belaste mantelzorger",
        (
            "Ik zorg dag en nacht voor mijn partner met dementie. Zelf kom ik nergens meer aan toe.",
            "Onze zoon heeft veel zorg nodig en ik ben al jaren moe.",
            "Mijn moeder belt tien keer per dag. Ik werk ook nog.",
        ),
        (
            "Ik zou één middag in de week voor mijzelf willen hebben.",
            "Ik wil praten met mensen die dit ook meemaken.",
            "Ik weet niet welke hulp er is en wie ik moet vragen.",
        ),
        ("Een vaste vrije middag per week.", "Weten wie er helpt als het niet meer gaat."),
        ("het mantelzorgcafé", "een vrijwilliger die op donderdagmiddag overneemt"),
        "heeft nu een vaste vrije middag en weet bij wie hulp te vragen is.",
        ages=(35, 85),
    ),
    Question(
        "Z06",
        "geen werk, geen ritme",
        (
            "Ik ben mijn baan kwijt en de dagen lopen in elkaar over.",
            "Door mijn rug kan ik mijn vak niet meer doen. Ik voel mij nutteloos.",
            "Na mijn opname ben ik nooit meer echt begonnen.",
        ),
        (
            "Ik wil weer ergens op tijd moeten zijn.",
            "Ik werk graag met mijn handen en heb altijd gesleuteld.",
            "Ik wil klein beginnen en zien wat lukt.",
        ),
        ("Drie ochtenden per week een vaste bezigheid.", "Uitzoeken welk vrijwilligerswerk past."),
        ("de fietsenwerkplaats", "de kas van de buurttuin", "de weggeefwinkel"),
        "is nu twee ochtenden per week vrijwilliger en denkt over een cursus.",
        ages=(22, 64),
    ),
    Question(
        "P01",
        "piekeren en slecht slapen",
        (
            "Ik lig ’s nachts te malen en overdag ben ik op.",
            "Mijn hoofd staat nooit stil, ook niet als er niets aan de hand is.",
            "Ik zeg alles af omdat ik bang ben dat het te druk wordt.",
        ),
        (
            "Ik wil leren hoe ik rust krijg, liever zonder pillen.",
            "Buiten zijn helpt, maar alleen doe ik het niet.",
            "Ik wil graag iets doen waarbij ik niet hoef te praten.",
        ),
        ("Elke dag een half uur naar buiten.", "Twee avonden per week zonder scherm en met iets van mijzelf."),
        ("de buurttuin", "de cursus Beter slapen", "de schildergroep"),
        "slaapt vaker door en houdt de vaste dagen vol.",
        ages=(19, 75),
    ),
    Question(
        "A04",
        "moe en pijn, geen medische oorzaak gevonden",
        (
            "De onderzoeken waren goed, maar de pijn blijft. Ik durf steeds minder.",
            "Ik ben al twee jaar moe. Niemand ziet het aan mij.",
            "Sinds corona red ik nog de helft van wat ik deed.",
        ),
        (
            "Ik wil weer bewegen zonder bang te zijn.",
            "Ik wil met mijn kleinkinderen op stap kunnen.",
            "Ik zoek mensen die snappen dat het niet elke dag lukt.",
        ),
        ("Rustig opbouwen naar een half uur lopen.", "De dagen verdelen, zodat er iets leuks overblijft."),
        ("rustig bewegen in het zwembad", "de wandelgroep voor beginners"),
        "beweegt twee keer per week en komt minder vaak op het spreekuur.",
        ages=(25, 80),
    ),
    Question(
        "Z03",
        "spanning door schade en versterking van het huis",
        (
            "Ons huis heeft scheuren en de versterking duurt al jaren. Ik kan er niet meer van slapen.",
            "We wonen al anderhalf jaar in een wisselwoning. Ik mis mijn buren.",
            "Weer een brief, weer een andere man aan de deur. Ik ben het vertrouwen kwijt.",
        ),
        (
            "Ik wil mijn verhaal kwijt zonder dat er een dossier van komt.",
            "Ik wil aan iets anders kunnen denken dan aan het huis.",
            "Help mij om de papieren op orde te krijgen.",
        ),
        ("Een vaste plek om te praten, buiten het huis.", "Eén dag per week waarop het huis niet meetelt."),
        ("de inloop bij het steunpunt", "het koor in de dorpskerk"),
        "heeft hulp bij de papieren en één dag per week die niet over het huis gaat.",
        ages=(28, 85),
        municipalities=("GM1979", "GM0014", "GM1966", "GM1952"),
    ),
    Question(
        "Z16",
        "jonge ouder zonder hulp in de buurt",
        (
            "Sinds de baby er is, zit ik hele dagen binnen. Mijn familie woont ver weg.",
            "Ik ben alleen met twee kleintjes en kom niet aan mijzelf toe.",
        ),
        (
            "Ik zou graag andere ouders leren kennen.",
            "Een uurtje voor mijzelf zou al zoveel schelen.",
        ),
        ("Elke week één ochtend met andere ouders.",),
        ("de ouder-en-kindinloop", "een vrijwilliger die een ochtend helpt"),
        "ziet nu elke week andere ouders en heeft weer tijd voor zichzelf.",
        ages=(20, 41),
    ),
    Question(
        "Z02",
        "nieuw in Nederland, weinig contacten",
        (
            "Ik woon hier twee jaar en ken alleen mijn buurvrouw.",
            "Vroeger gaf ik les. Hier wacht ik.",
            "De taal is moeilijk en ik schaam mij om fouten te maken.",
        ),
        (
            "Ik wil beter Nederlands leren, met gewone mensen.",
            "Ik kan goed koken en wil dat graag voor anderen doen.",
        ),
        ("Elke week Nederlands spreken met iemand uit het dorp.",),
        ("het taalcafé", "een taalmaatje", "koken in het buurthuis"),
        "spreekt elke week Nederlands met mensen uit het dorp en belt nu zelf met instanties.",
        ages=(21, 60),
        newcomers=True,
    ),
    Question(
        "Z01",
        "zorgen over geld",
        (
            "Er ligt een stapel post die ik niet meer open durf te maken.",
            "Sinds de scheiding kom ik elke maand tekort en zeg ik alles af.",
            "Ik werk, en toch lukt het niet. Daar praat je niet over.",
        ),
        (
            "Ik wil dat iemand een keer met mij meekijkt.",
            "Ik wil weer mensen durven uitnodigen.",
        ),
        ("De post samen openmaken en weten wat eerst moet.",),
        ("het formulierenspreekuur", "de repaircafé-middag"),
        "heeft weer overzicht en komt nu zelf naar de inloop.",
        ages=(21, 70),
        debts=True,
    ),
)  # fmt: skip

PREFERRED_TIMES = (
    "Doordeweeks na 10 uur",
    "’s Middags; ’s ochtends slaap ik",
    "Na vijf uur, ik werk overdag",
    "Maandag of donderdag",
    "Liever eerst een appje",
    "Niet tussen 12 en 2, dan help ik mijn moeder",
    "Altijd goed",
)
LIMITATIONS = (
    "Loopt met een rollator",
    "Hoort slecht aan de telefoon: rustig praten",
    "Geen auto; de bus komt één keer per uur",
    "Ziet slecht, brieven graag in grote letters",
    "Kan niet lang zitten",
    "Gebruikt een rolstoel, de deur beneden is zwaar",
    "Geen",
)
SAFETY_REMARKS = ("Er is een grote hond; bel even voordat u komt.", "Spreek liever af in het dorpshuis.")
