"""What the dependency audit makes of a report: what nobody looked at is never called sound."""

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
assert SPEC is not None
assert SPEC.loader is not None
AUDIT = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(AUDIT)


def package(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", **more}


def hole(*fixed: str) -> dict[str, Any]:
    return package("bad", vulns=[{"id": "PYSEC-1", "fix_versions": list(fixed)}])


def test_only_a_hole_that_a_newer_version_mends_stops_us_and_silence_is_not_taken_for_health() -> None:
    sound, skipped = (
        package("sound", vulns=[]),
        package("unknown", skip_reason="Dependency not found on PyPI"),
    )
    for packages, passes, said in (
        ([sound], True, "1 packages audited: nothing known"),
        ([sound, skipped], True, "NOT AUDITED: 1 of 2"),
        ([sound, hole()], True, "mended in: nothing yet"),
        ([sound, hole("1.1")], False, "PYSEC-1, mended in: 1.1"),
        ([skipped, hole("1.1")], False, "NOT AUDITED: 1 of 2"),
    ):
        verdict, lines = AUDIT.judged({"dependencies": packages})
        assert verdict is passes
        assert any(said in line for line in lines), lines


def test_the_list_of_what_we_ship_is_the_lock() -> None:
    done = subprocess.run([str(ROOT / "run"), "sbom"], capture_output=True, check=True)
    listed = {each["name"] for each in json.loads(done.stdout)["components"]}
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert listed == {line.partition("==")[0] for line in lines if "==" in line}
