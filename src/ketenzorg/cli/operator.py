"""Who keeps the service running is on record too."""

import getpass
from uuid import UUID

from ketenzorg.store.audit import ACTIONS, Access, Interaction
from ketenzorg.store.ids import uuid7

OPERATOR = UUID(int=0)  # no organisation of the region


def by_operator(interaction: Interaction, program: str, rule: str) -> Access:
    """What goes on record, by the name under which he works on this machine."""
    return Access(
        id=uuid7(),
        request=str(uuid7()),
        client=program,
        user_id=getpass.getuser(),
        organisation=OPERATOR,
        purpose="HSYSADMIN",
        interaction=interaction,
        action=ACTIONS.get(interaction, "R"),
        rule=rule,
        rule_left=rule,
    )
