"""Who has which referral in the demo: the coaches who can sign in divide what their team has taken up."""

from collections import Counter
from uuid import UUID

from ketenzorg.access.rules import rule_id
from ketenzorg.cli.demo.story import Story
from ketenzorg.pages.people import People, Person
from ketenzorg.store.audit import Access
from ketenzorg.store.ids import uuid7
from ketenzorg.store.worklist import Worklist

COACH = "coach"
NOBODYS = 6  # one in so many has no name on it: somebody was away


async def divide(story: Story, people: People, worklist: Worklist) -> None:
    """Give each referral that a team has taken up to one of its coaches, by turns, the newest first."""
    coaches, turns = people.with_role(COACH), Counter[UUID]()
    for _, running in sorted(story.running.items(), reverse=True):
        owner, role = running.owner.id, story.pathway(running.case).role_of("owner")
        team = [each for each in coaches if each.organisation.id == owner]
        if team and any(act.by == role for act in running.happened):
            turns[owner] += 1
            if turns[owner] % NOBODYS:
                await _give(running.task, team[(turns[owner] - 1) % len(team)], worklist)


async def _give(task: str, to: Person, worklist: Worklist) -> None:
    line = await worklist.line(to.organisation.id, UUID(task.partition("/")[2]))
    if line is not None:
        own = rule_id("note", "Task", "bystander")
        access = Access(
            id=uuid7(),
            request="demo",
            client=f"pagina:{to.key}",
            user_id=to.key,
            organisation=to.organisation.id,
            interaction="note",
            action="U",
            rule=own,
            rule_left=own,
        )
        await worklist.set_part(line.traject, line.edition, access, colleague=to.key)
