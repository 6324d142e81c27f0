"""What somebody did with a patient's data and why, in words for that patient."""

from ketenzorg.coordination.reading.who_looked import Look

READ = "bekeek"
DID = {
    "create": "stuurde een verwijzing over u in",
    "validate": "vroeg of een verwijzing over u zou worden aangenomen",
    "add": "vulde gegevens over u aan",
    "next": "bekeek welke stappen er nu kunnen",
    "ask": "stelde een vraag over uw verwijzing",
    "book": "legde een afspraak met u vast",
    "rebook": "werkte een afspraak met u bij",
    "decide": "legde vast wat u wel of niet wilt delen",
    "events": "haalde berichten over uw verwijzing op",
    "resend": "liet berichten over uw verwijzing opnieuw sturen naar het eigen systeem",
    "messages": "zag in een lijst, zonder uw naam, dat er berichten over uw verwijzing waren",
    "event": "legde vast wat er gebeurde",
    "undo": "herstelde een vergissing",
    "update": "werkte de verwijzing bij",
    "patch": "werkte de verwijzing bij",
    "delete": "liet vastleggen dat het een vergissing was",
    "note": "noteerde wie het bij hen doet",
    "search": "zocht, en vond u",
    "history-instance": "bekeek hoe gegevens over u veranderden",
    "history-type": "vroeg wat er veranderde, ook bij u",
    "overdue": "zag u in een lijst van wat te laat is",
    "list": "zag u in een lijst",
    "page": "opende de pagina van uw verwijzing",
    "print": "opende een brief aan u om te printen",
    "document": "las een brief over u",
    "log-read": "las in het logboek wat er met uw gegevens was gedaan",
    "log-search": "zocht in het logboek wat er met uw gegevens was gedaan",
    "who-looked": "maakte een overzicht zoals dit",
}
THINGS = {
    "Patient": "uw naam, adres en andere persoonsgegevens",
    "ServiceRequest": "de verwijzing",
    "Task": "hoe het met de verwijzing staat",
    "CarePlan": "het plan",
    "Appointment": "een afspraak",
    "QuestionnaireResponse": "de antwoorden op de vragen",
    "Condition": "een aandoening of klacht",
    "Observation": "een meting of bevinding",
    "MedicationStatement": "uw medicijnen",
    "MedicationRequest": "uw medicijnen",
    "AllergyIntolerance": "een allergie",
    "FamilyMemberHistory": "ziekten in uw familie",
    "Procedure": "een behandeling",
    "DiagnosticReport": "een uitslag",
    "DocumentReference": "een document",
    "Composition": "een brief",
    "Consent": "uw toestemming",
    "RelatedPerson": "de gegevens van een naaste",
    "Practitioner": "de gegevens van een zorgverlener",
    "PractitionerRole": "de gegevens van een zorgverlener",
    "Provenance": "waar gegevens vandaan komen",
}
WHY = {
    "refers": "De praktijk mag u verwijzen.",
    "takes-part-reads": "Deze organisatie doet nu mee, en ziet wat zij daarvoor nodig heeft.",
    "left-reads": "Deze organisatie deed eerder mee, en ziet nog wat zij toen zag.",
    "reads-letters": "Deze organisatie doet mee, en mag de brieven lezen.",
    "searches-own": "Deze organisatie doet mee, en zoekt in haar eigen verwijzingen.",
    "left-searches": "Deze organisatie deed eerder mee, en zoekt in haar eigen verwijzingen.",
    "candidate-reads": "Deze organisatie is gevraagd om mee te doen. Uw naam ziet zij niet.",
    "candidate-answers": "Deze organisatie is gevraagd om mee te doen, en zegt of zij dat kan. Uw naam ziet zij niet.",
    "asks-what-may-happen": "Deze organisatie doet mee of deed mee.",
    "asks-what-is-late": "Deze organisatie bewaakt of u op tijd wordt geholpen.",
    "takes-part-acts": "Deze organisatie doet mee, en legt vast wat zij doet.",
    "takes-part-deletes": "Deze organisatie doet mee, en zei dat de verwijzing een vergissing was.",
    "takes-part-rewrites": "Deze organisatie doet mee, en legt vast wat zij doet.",
    "takes-part-books": "Deze organisatie doet mee, en maakt de afspraken met u.",
    "records-consent": "Deze organisatie legt vast wat u aan haar vertelt over delen.",
    "keeps-own-subscriptions": "Deze organisatie doet mee, en hoort wat er met de verwijzing gebeurt.",
    "takes-part-adds": "Deze organisatie doet mee, en vult aan wat anderen moeten weten.",
    "takes-back-added": "Deze organisatie nam terug wat zij zelf had aangevuld.",
    "keeps-own-notes": "Deze organisatie houdt bij wie van haar mensen u helpt.",
    "reads-own-log": "De praktijk mag zien wie uw gegevens bekeek.",
    "shows-who-looked": "De praktijk laat u zien wie uw gegevens bekeek.",
}


def did(look: Look) -> str:
    """What was done: bekeek uw medicijnen."""
    if look.interaction == "create" and look.action == "R":
        return "stuurde dezelfde verwijzing nog een keer in"
    if look.interaction == "add" and look.action == "R":
        return "stuurde dezelfde gegevens nog een keer in"
    return DID.get(look.interaction) or f"{READ} {THINGS.get(look.kind, 'gegevens over u')}"


def why(look: Look) -> str:
    """The rule that allowed it, for the patient; a rule without such words says what it says to everybody."""
    return WHY.get(look.rule) or look.why
