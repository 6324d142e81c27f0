"""Every test that the threat model names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()


def test_every_claim_of_the_threat_model_names_a_test_that_exists() -> None:
    here, named = "", []
    for path, test in re.findall(r"(tests/[\w/]+\.py)?::(test_\w+)", PAGE):
        here = path or here
        named.append((here, test))
    assert len(named) > 25
    assert [each for each in named if f"def {each[1]}(" not in (ROOT / each[0]).read_text()] == []
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]
    claims = [row for row in rows if "threat | what we do" not in row]
    assert [row for row in claims if "::test_" not in row and "*not yet*" not in row] == []
