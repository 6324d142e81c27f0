"""Checks of consent: who gets nothing without an explicit one, where it stands, and the way out when it is withdrawn.

That consent is needed is safety-locked, as alarm rules are: a new version may ask for more, never for less.
"""

from collections.abc import Iterator, Mapping

from ketenzorg.pathway.definition import PathwayFile, Role
from ketenzorg.pathway.findings import Finding, Place, unknown
from ketenzorg.pathway.flatten import Step
from ketenzorg.pathway.leaving import withdrawal
from ketenzorg.pathway.region_file import CARE_PROVIDERS
from ketenzorg.pathway.words import EXPLICIT


def check_consent(file: PathwayFile) -> Iterator[Finding]:
    """Who is no care provider gets nothing without an explicit consent, and the file says where that stands."""
    for name, role in file.roles.items():
        others = sorted(_kinds(name, role, file) - CARE_PROVIDERS)
        if others and role.consent != EXPLICIT:
            nl = f"{', '.join(others)} is geen zorgaanbieder: consent = ‘{EXPLICIT}’."
            en = f"{', '.join(others)} is no care provider: consent = '{EXPLICIT}'."
            yield Finding(("roles", name, "consent"), nl, en)
        if role.consent == EXPLICIT and name not in file.consent:
            nl = f"uitdrukkelijk: in welke vragen staat die toestemming? Geef [consent.{name}]."
            en = f"explicit: in which questions does that consent stand? Give [consent.{name}]."
            yield Finding(("roles", name, "consent"), nl, en)
    explicit = [name for name, role in file.roles.items() if role.consent == EXPLICIT]
    for name, asked in file.consent.items():
        if name not in explicit:
            yield unknown(("consent", name), "rol", "role", name, explicit)
        for key, question, kind in (
            ("given", asked.given, "ja-nee"),
            ("on", asked.on, "datum"),
            ("scope", asked.scope, "code"),
        ):
            element = file.data.get(question)
            if element is None and question:
                yield unknown(("consent", name, key), "vraag", "data element", question, file.data)
            elif element is not None and element.type != kind:
                nl, en = f"‘{question}’ is geen {kind}.", f"'{question}' is no {kind}."
                yield Finding(("consent", name, key), nl, en)


def check_withdrawal(file: PathwayFile, steps: Mapping[str, Step]) -> Iterator[Finding]:
    """While another works for the requester, withdrawn consent has a way out that asks nothing more."""
    for step in steps.values():
        another = step.requester != step.performer and not step.ends
        if not another or withdrawal(step, [step.requester], steps, file.needs):
            continue
        nl = f"uit ‘{step.name}’ komt {step.requester} niet als de patiënt de toestemming intrekt: geef een einde"
        en = f"{step.requester} finds no way out of '{step.name}' when consent is withdrawn: give an end"
        yield Finding(
            ("steps", step.main),
            f"{nl} met die reden, en zonder andere vragen.",
            f"{en} with that reason and no other questions.",
        )


def check_consent_versions(old: PathwayFile, new: PathwayFile) -> Iterator[Finding]:
    """Where the new version would send without a consent that the old one asked for."""
    for name, role in old.roles.items():
        if role.consent == EXPLICIT:
            for heir in _heirs(name, role, old, new):
                if new.roles[heir].consent != EXPLICIT:
                    yield _looser(("roles", heir, "consent"), old.version, name)
    asked = {
        name for name, element in old.data.items() if any(_about_consent(each) for each in element.places)
    }
    asked |= {each.given for each in old.consent.values()}
    for rule in old.condition:
        for name, answer in rule.unless.items():
            kept = any(each.unless.get(name) == answer for each in (*new.condition, *new.alarm))
            if name in asked and not kept:
                yield _looser(("condition",), old.version, rule.name)


def _kinds(name: str, role: Role, file: PathwayFile) -> set[str]:
    """The kinds that may play a role, in any municipality."""
    return {*role.kinds, *(kind for variant in file.variant for kind in variant.kinds.get(name, ()))}


def _heirs(name: str, role: Role, old: PathwayFile, new: PathwayFile) -> list[str]:
    """The role itself; when it is gone, the new roles that the same organisations may play."""
    if name in new.roles:
        return [name]
    kinds = _kinds(name, role, old)
    return [each for each, heir in new.roles.items() if each not in old.roles and kinds & set(heir.kinds)]


def _about_consent(place: str) -> bool:
    return place.partition(".")[0] == "Consent"


def _looser(place: Place, version: str, name: str) -> Finding:
    nl = f"soepeler dan versie {version}: ‘{name}’ vroeg daar om toestemming; nu niet."
    en = f"looser than version {version}: '{name}' asked for consent there; now it does not."
    return Finding(place, nl, en)
