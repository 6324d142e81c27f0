"""What the README prints is what comes out: the answer of its curl, and every file that it links to."""

import json
import re
from pathlib import Path

from referrals import a_referral
from services import Service

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|\+\d\d:\d\d)|\d\d-\d\d-\d{4}")


def masked(text: str) -> str:
    return MOMENT.sub("<moment>", ID.sub("<id>", text))


async def test_the_answer_of_the_curl(service: Service) -> None:
    printed = README.partition("```json\n")[2].partition("\n```")[0]

    answer = await service.his.post("/fhir", json=a_referral())

    assert masked(json.dumps(answer.json(), indent=1, ensure_ascii=False)) == printed


def test_every_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
