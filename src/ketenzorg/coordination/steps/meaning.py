"""What a party means: the event behind a named one, a changed Task.status or step, or an answer to a question."""

from ketenzorg.coordination.choosing.candidates import RELEASE, SELECT, candidate_of
from ketenzorg.coordination.scene import state_of
from ketenzorg.coordination.steps.asides import aside_of, event_for
from ketenzorg.coordination.steps.changes import Change
from ketenzorg.coordination.steps.progress import check_progress
from ketenzorg.coordination.steps.versions import Said
from ketenzorg.errors import Forbidden, Issue, TransitionNotAllowed
from ketenzorg.pathway import engine
from ketenzorg.pathway.definition import Aside
from ketenzorg.pathway.engine import Option, State
from ketenzorg.pathway.loaded import Pathway
from ketenzorg.store.trajecten import Traject


def role_for(event: str, traject: Traject, pathway: Pathway, roles: list[str]) -> str:
    """Of the caller's roles the one to which this event is up."""
    able = [
        role
        for option in engine.allowed(pathway, state_of(traject))
        if option.event == event
        for role in roles
        if role in option.by
    ]
    return next(iter([*able, *roles]))


def meant(change: Change, traject: Traject, pathway: Pathway, roles: list[str]) -> Said:
    """The one event that a changed Task means; the answers it needs are read from reason and outputs."""
    state = state_of(traject)
    if candidate_of(traject.task.id, traject):
        said = _of_candidate(change, roles, pathway.steps[traject.step].requester)
        if said is not None:
            return said
    beside = aside_of(traject.task.id, traject, pathway)
    if beside is not None:
        return _meant_beside(change, beside[0], pathway, state, roles)
    step = pathway.steps[state.step]
    check_progress(change.added, change.status or step.task, owner=step.performer in roles)
    if change.status is None and change.step is None:
        return Said(event=None, by=roles[0], added=change.added)
    refusal: TransitionNotAllowed | None = None
    for role in roles:
        try:
            option = _option(change, pathway, state, role)
        except TransitionNotAllowed as error:
            refusal = error
            continue
        given, rest = change.answers(pathway, [*option.needs, *option.may])
        return Said(event=option.event, by=role, given=given, added=rest)
    raise refusal or Forbidden(Issue(nl="U heeft hierin geen rol.", en="You have no role in this."))


def _of_candidate(change: Change, roles: list[str], requester: str) -> Said | None:
    """What who asks means on the Task of one candidate."""
    if requester not in roles:
        return None
    event = SELECT if change.selected else RELEASE if change.status == "cancelled" else ""
    return Said(event=event, by=requester)


def _meant_beside(change: Change, aside: Aside, pathway: Pathway, state: State, roles: list[str]) -> Said:
    """The answer to a question, or that it is declined; what else could be written there has no meaning."""
    event = event_for(change.status or "", aside)
    options = [each for each in engine.allowed(pathway, state) if each.event == event]
    by = next((role for role in roles for option in options if role in option.by), "")
    if not by:
        can = "completed" + (", rejected" if aside.no else "")
        raise TransitionNotAllowed(
            Issue(
                nl=f"Op ‘{aside.title.lower()}’ antwoordt wie gevraagd is, met Task.status {can}.",
                en=f"Who owns this Task answers it, by Task.status {can}.",
                expression=("Task.status",),
            )
        )
    given, _ = change.answers(pathway, [*options[0].needs, *options[0].may])
    return Said(event=event, by=by, given=given)


def _option(change: Change, pathway: Pathway, state: State, role: str) -> Option:
    if change.step is None:
        return engine.for_status(pathway, state, role, change.status or "", change.reason_codes)
    wanted = change.status or pathway.steps[state.step].task
    options = [
        option
        for option in engine.allowed(pathway, state, role)
        if option.to_step == change.step and option.task == wanted
    ]
    if len(options) != 1:
        return engine.for_status(pathway, state, role, wanted, change.reason_codes)
    return options[0]
