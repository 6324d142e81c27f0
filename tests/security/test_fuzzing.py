"""What comes of requests made by chance, each kind as often: R17, R18 and R23 of docs/threat-model.md."""

from random import Random

from databases import Database
from log_lines import capture_logs

from .fuzzing import Found, fuzzing
from .grammar import KINDS_OF_REQUEST

EACH = 80
STATEMENTS = 100  # of all that the service has; one with a value in it would make hundreds


async def test_r17_r18_r23_no_request_made_by_chance_fells_stores_or_learns_anything_it_should_not(
    database: Database,
) -> None:
    found = Found()
    with capture_logs() as lines:
        async with fuzzing(database, found, Random("kinds of request")) as one:
            for make in KINDS_OF_REQUEST * EACH:
                await one.send(make)
    assert found.wrong == []
    assert [line for line in lines if line["event"] == "KZ-API-002"] == []
    assert 10 < len(found.statements) < STATEMENTS
    # It came past the first look: of each kind that can be right, something was.
    done = {kind for kind, status in found.statuses if status < 300}
    assert done >= {
        "bundle", "message", "$event", "$validate", "Subscription", "put", "search", "read", "other",
    }  # fmt: skip
