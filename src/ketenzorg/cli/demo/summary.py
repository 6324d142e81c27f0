"""What the demo prints: where everybody stands, one referral from beginning to end, and how to try it yourself."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import typer

from ketenzorg.cli.demo.courses import Act
from ketenzorg.cli.demo.lines import Json, Line, NotAsExpected
from ketenzorg.cli.demo.receivers import Receiver
from ketenzorg.cli.demo.story import Running, Story, notices_of
from ketenzorg.errors import Issue
from ketenzorg.pathway.calendar import AMSTERDAM

WIDTH = 100
BAR = 30
PAGE = 200
TASK = re.compile(r"Task/[0-9a-f-]{36}")
EXAMPLE = Path("fhir_profiles/examples/referral-welzijn-op-recept.json")
DAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip


def say(text: str = "") -> None:
    """A line of the demo, at once: it may be going into a file or a pipe."""
    typer.echo(text)


def heading(text: str) -> None:
    """What the next lines are about."""
    say(f"\n{text}\n{'-' * len(text)}")


def tell_begin(referrals: int, address: str, *, once: bool) -> None:
    """What is about to happen, and where to see it happen."""
    say(
        f"  {number(referrals)} verwijzingen in anderhalf jaar, en wat coaches ermee doen, alles over HTTP ..."
    )
    if not once:
        say(f"  Kijk mee terwijl het gebeurt: {address}/login")
    say()


class Progress:
    """Tells of each month that has passed."""

    def __init__(self, referrals: int) -> None:
        self._all = referrals
        self._sent = 0

    def tell_month(self, month: date, sent: int, done: int) -> None:
        """One simulated month."""
        self._sent += sent
        bar = "▪" * round(self._sent / self._all * BAR)
        name = f"{MONTHS[month.month - 1]} {month.year}"
        say(f"  {name:<15} {sent:>4} verwijzingen {done:>5} stappen   {bar:<{BAR}} {number(self._sent):>5}")


def number(n: int) -> str:
    """1.500"""
    return f"{n:,}".replace(",", ".")


def in_words(day: date) -> str:
    """vrijdag 30 oktober 2026"""
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


async def steps_now(story: Story) -> Counter[str]:
    """The step of every referral, counted from what the coaches find in their own worklists over HTTP."""
    owners = {running.owner.id: running.owner for running in story.running.values()}
    ours = {running.task: running.step for running in story.running.values()}
    found: dict[str, str] = {}
    for owner in owners.values():
        for task in await _all_tasks(story.lines.of(owner)):
            if "businessStatus" in task:  # of a hand-over; a question beside it has none
                found[f"Task/{task['id']}"] = task["businessStatus"]["text"]
    if {task: found.get(task) for task in ours} != ours:
        raise NotAsExpected(
            Issue(
                nl="De werklijsten zeggen iets anders dan er gebeurde.",
                en="The worklists differ from what happened.",
            )
        )
    return Counter(ours.values())


def tell_steps(story: Story, steps: Mapping[str, int]) -> None:
    """Number of referrals per step, in the order of the pathway."""
    heading(
        f"Waar de {number(sum(steps.values()))} verwijzingen nu staan ({in_words(story.period.today.date())})"
    )
    known = {
        name: step.title for play in story.plays for name, step in story.catalogue.current(play).steps.items()
    }
    titles = {name: title for name, title in known.items() if steps.get(name)}
    width, most = max(map(len, titles.values())), max(steps.values())
    for name, title in titles.items():
        bar = "▪" * -(-steps[name] * BAR // most)
        say(f"  {title:<{width}} {steps[name]:>4}  {bar}")


def tell_what_else(story: Story, receivers: Mapping[str, Receiver]) -> None:
    """What did not go by itself, and who heard of it."""
    heading("Wat er ook gebeurde, zoals het in het echt gaat")
    for what, answer in story.refusals.items():
        line(f"  {what:<31} ", TASK.sub("Task/…", answer))
    for event, what in (
        ("afwijzen", "teruggegeven door de coach"),
        ("crisis gemeld", "crisis bij de coach"),
        ("heropenen", "later toch heropend"),
    ):
        say(f"  {what:<31} {story.events[event]}x")
    heard = ", ".join(f"{name} {receiver.heard}" for name, receiver in receivers.items())
    line(
        f"  {'berichten aangekomen':<31} ",
        f"{heard}, sinds augustus; elk ondertekend en op volgorde",
    )


async def tell_story(story: Story) -> None:
    """One referral: what the practice sent, what happened, and what the practice reads in the end."""
    running = story.running[story.hero.number]
    case = running.case
    heading(f"Eén verwijzing van begin tot eind: {running.task}")
    _dated(case.at, f"{case.practice.name} verwijst. De patiënt zegt: “{case.answers['reden']}”")
    for notice in notices_of(running):
        line(f"{'':<14}» ", notice)
    for what in running.happened:
        _dated(what.at, f"{_who(running, what, story)}: {what.event}{_words(what)}")
    task = await story.lines.of(case.practice).call("GET", f"/fhir/{running.task}")
    say(f"\n  En dit leest de huisarts nu (GET /fhir/{running.task} als his-demo):")
    step = task.get("businessStatus", {}).get("text")  # a Task need not say it
    say(f"    status {task['status']}" + (f", stap ‘{step}’" if step else ""))
    for output in task.get("output", ()):
        line(f"    {output['type']['text'] + ':':<16}", _words_of(output))


async def tell_clients(lines: Mapping[str, Line]) -> None:
    """The same question by four parties; each sees what its part is."""
    heading("Vier clients vragen hetzelfde (GET /fhir/Task), en elk ziet wat bij zijn rol hoort")
    his, coach = await _all_tasks(lines["his-demo"]), await _all_tasks(lines["welzijn-demo"])
    hospital = await _all_tasks(lines["ziekenhuis-demo"])
    await lines["ketenteam-demo"].call("GET", "/fhir/Task", expect=403)
    await _sees_no_number(lines["welzijn-demo"], coach[0])
    waiting = sum(task["status"] in ("requested", "received", "accepted") for task in coach)
    if {task["id"] for task in hospital} & {task["id"] for task in coach}:
        raise NotAsExpected(
            Issue(nl="Het ziekenhuis ziet iets van welzijn.", en="The hospital sees something of welfare.")
        )
    none = f"niets; wel {len(hospital)} keer iets van andere zorgpaden"
    for name, question, answer in (
        ("his-demo", "Hoe gaat het met wie ik verwees?", f"{len(his)} verwijzingen, met alles erbij"),
        ("welzijn-demo", "Wie wacht er op mij?", f"{waiting} van de {len(coach)}; geen BSN, geen diagnose"),
        ("ziekenhuis-demo", "Zie ik iets van welzijn?", none),
        ("ketenteam-demo", "Zie ik mensen?", "nee (403): wel tellingen, nooit mensen"),
    ):
        say(f"  {name:<16} {question:<33} {answer}")


async def _sees_no_number(who: Line, task: Json) -> None:
    patient = await who.call("GET", f"/fhir/{task['for']['reference']}")
    if {"identifier", "birthDate"} & patient.keys():
        raise NotAsExpected(
            Issue(nl="De coach ziet meer dan de afspraak is.", en="The coach sees more than was agreed.")
        )


def tell_how_to_try(address: str, tokens: Mapping[str, str], pathways: Path) -> None:
    """What to paste to do it yourself."""
    heading("Zelf proberen")
    say(f"  Adres    {address}/fhir      (wat kan het: {address}/fhir/metadata, zonder token)")
    say(f"  Pagina's {address}/login     (kies een welzijnscoach, en kijk wie er op je wacht)")
    say("  Tokens   8 uur geldig; plak deze vier regels in een andere terminal:\n")
    for name, token in tokens.items():
        say(f"export {_variable(name)}={token}")
    say("\n  Verwijs iemand; het antwoord heeft zes keer 201, en zegt wie er aan zet is en voor wanneer:\n")
    example = EXAMPLE if EXAMPLE.exists() else pathways.parent / EXAMPLE
    say(f'curl -s {address}/fhir -H "Authorization: Bearer $HIS_DEMO" \\')
    say(f"  -H 'Content-Type: application/fhir+json' --data-binary @{example}")
    say("\n  En kijk als welzijnscoach wie er nieuw is:\n")
    say(f'curl -s "{address}/fhir/Task?status=requested" -H "Authorization: Bearer $WELZIJN_DEMO"')


async def _all_tasks(who: Line) -> list[Json]:
    tasks: list[Json] = []
    path = f"/fhir/Task?_count={PAGE}"
    while path:
        page = await who.call("GET", path)
        tasks += [entry["resource"] for entry in page.get("entry", ())]
        following = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        path = following and f"/fhir/Task?{urlsplit(following).query}"
    return tasks


def _who(running: Running, what: Act, story: Story) -> str:
    by_coach = what.by == story.pathway(running.case).role_of("owner")
    return (running.owner if by_coach else running.case.practice).name


def _words(what: Act) -> str:
    texts: Iterable[str] = what.given.values()
    return "".join(f". “{text}”" for text in texts)


def _dated(at: datetime, text: str) -> None:
    line(f"  {at.astimezone(AMSTERDAM):%d-%m-%Y}  ", text)


def line(start: str, text: str) -> None:
    """A text after its beginning, folded."""
    say(textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)))


def _variable(client: str) -> str:
    return client.upper().replace("-", "_")


def _words_of(output: Json) -> str:
    """What came back: words, or where the letter is."""
    return str(output.get("valueString") or output["valueReference"]["reference"])
