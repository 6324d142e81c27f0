"""What each figure means, said once, for pages, tables and programs alike."""

from typing import Final

import msgspec

from ketenzorg.pathway.definition import Status


class Definition(msgspec.Struct, frozen=True):
    """One measure: its id, its name and meaning in plain Dutch, its unit, and where it comes from."""

    id: str
    name: str
    text: str
    unit: str
    source: str
    status: Status


KAPLAN_MEIER = "Kaplan en Meier 1958, https://doi.org/10.1080/01621459.1958.10501452"
OURS = "keuze van ketenzorg, nog niet vastgesteld door een ketenteam"
SMALL = "NHS HES: kleine aantallen verborgen, overige afgerond op vijf; de grens van 10 is een voorstel"

DEFINITIONS: Final = (
    Definition(
        id="open_now",
        name="Nu in deze stap",
        text="Trajecten die op dit moment in de stap zijn. Een pauze of een open vraag telt mee. "
        "De gekozen periode doet hier niet mee.",
        unit="trajecten",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="late_now",
        name="Nu te laat",
        text="Lopende trajecten waarvan een termijn of controle voorbij is, zoals de werklijst het zegt: zolang de "
        "klok stilstaat loopt er geen. Bij een norm: de trajecten waarvan deze termijn voorbij is. De gekozen periode "
        "doet hier niet mee.",
        unit="trajecten",
        source="de normen van het zorgpad",
        status="proposal",
    ),
    Definition(
        id="inflow",
        name="Instroom",
        text="Verwijzingen die binnenkwamen, en trajecten die opnieuw begonnen. "
        "Ze tellen in de week waarin dat gebeurde. Wat ten onrechte is ingevoerd, telt nergens mee.",
        unit="trajecten",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="outflow",
        name="Uitstroom",
        text="Trajecten die eindigden, op welke manier ook. Ze tellen in de week waarin ze eindigden.",
        unit="trajecten",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="open_at_end",
        name="Lopend aan het eind",
        text="Alle instroom tot en met dat moment, min alle uitstroom.",
        unit="trajecten",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="dwell",
        name="Tijd in de stap",
        text="Kalenderdagen tussen begin en einde van de stap, voor wie in de periode aan de stap begon. "
        "Wie er nog is, telt mee tot nu (Kaplan-Meier). Een pauze telt mee.",
        unit="dagen",
        source=KAPLAN_MEIER,
        status="general knowledge",
    ),
    Definition(
        id="access",
        name="Wachttijd van de norm",
        text="Kalenderdagen tussen twee gebeurtenissen, voor wie in de periode begon te wachten. Wie nog wacht, "
        "telt mee tot nu (Kaplan-Meier). Wie stopte, telt mee tot die dag: de uitkomst is de wachttijd van wie "
        "blijft wachten. Stoppen mensen juist door het wachten, dan is de echte tijd langer.",
        unit="dagen",
        source=KAPLAN_MEIER,
        status="general knowledge",
    ),
    Definition(
        id="percentiles",
        name="Mediaan, 80% en 90%",
        text="Na zoveel dagen is de helft, 80 procent of 90 procent klaar. "
        "‘Nog niet bereikt’: zoveel mensen zijn nog niet klaar.",
        unit="dagen",
        source=KAPLAN_MEIER,
        status="general knowledge",
    ),
    Definition(
        id="within",
        name="Binnen de norm",
        text="Het deel dat op tijd is, voor wie in de periode begon te wachten. Wie na de laatste dag nog wacht of "
        "stopte, is niet op tijd. Wie eerder stopte of nog tijd heeft, telt mee tot die dag (Kaplan-Meier). "
        "‘Nog niet bekend’: daarvoor is het te kort geleden.",
        unit="procent",
        source=f"de normen van het zorgpad; {KAPLAN_MEIER}",
        status="general knowledge",
    ),
    Definition(
        id="share",
        name="Deel dat eerder klaar moet zijn",
        text="Een norm kan ook zeggen welk deel van alle mensen eerder aan de beurt moet zijn, zoals 80% binnen 3 "
        "weken bij een Treeknorm. Het telt als ‘binnen de norm’, met de kortere tijd. Niemand is hierdoor te laat.",
        unit="procent",
        source=f"de normen van het zorgpad; {KAPLAN_MEIER}",
        status="general knowledge",
    ),
    Definition(
        id="recent",
        name="De laatste weken",
        text="Hetzelfde deel, voor wie in de laatste 13 weken van de periode begon te wachten. Het staat er als de "
        "periode minstens 39 weken is.",
        unit="procent",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="refusals",
        name="Afwijzingen",
        text="Verwijzingen die de ontvanger afwees, per reden. Ze tellen in de week van de afwijzing.",
        unit="trajecten",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="experiences",
        name="Wat patiënten ervan vonden",
        text="Trajecten die in de periode werden afgerond en waarin is gevraagd hoe de patiënt het vond, per antwoord. "
        "Wie het werk deed, vraagt het; wie niets vroeg, telt niet mee.",
        unit="trajecten",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="exits",
        name="Hoe trajecten eindigen",
        text="Trajecten die in de periode eindigden, per manier van eindigen.",
        unit="trajecten",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="feedback",
        name="Terugkoppeling gegeven",
        text="Het deel van de beëindigde trajecten waarin de verwijzer minstens één terugkoppeling kreeg. "
        "Niet mee tellen: niet bereikt, ziet ervan af, ingetrokken, verhuisd, overleden en dubbel.",
        unit="procent",
        source="dat het hoort: https://www.de-eerstelijns.nl/2020/10/welzijn-op-recept-kleur-aan-het-leven-geven/; "
        "de telling is een voorstel",
        status="proposal",
    ),
    Definition(
        id="days",
        name="Waar de dagen blijven",
        text="Het deel van alle dagen dat mensen in deze stap waren. Het gaat om wie in de periode aan de stap "
        "begon, en om de stappen die te tonen zijn.",
        unit="procent",
        source=OURS,
        status="proposal",
    ),
    Definition(
        id="small",
        name="Kleine groepen",
        text="Wat over minder dan 10 trajecten gaat, tonen we niet. Andere aantallen zijn afgerond op vijf. "
        "Zo is niemand te herkennen. Is de keuze te klein, dan nemen we vanzelf een langere periode "
        "of de hele regio, en dat staat erbij.",
        unit="",
        source=SMALL,
        status="proposal",
    ),
)
