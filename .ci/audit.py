"""Asks PyPI's advisories about every package that we ship. Fails for a known hole that a newer version mends.

pip-audit says "no known vulnerabilities" and ends well when the index that it reaches has no advisories at all: each
package is then skipped as not found. So what was not looked at is counted here, and said.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (
    "-m", "pip_audit", "--requirement", "requirements.lock", "--disable-pip", "--require-hashes", "--format", "json",
    "--progress-spinner", "off", "--timeout", "15",
)  # fmt: skip


def judged(report: dict[str, Any]) -> tuple[bool, list[str]]:
    """Whether it may pass, and what there is to say."""
    packages = report["dependencies"]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    said = []
    if skipped:
        said.append(
            f"NOT AUDITED: {len(skipped)} of {len(packages)} packages; no advisories could be reached for them"
        )
    mended = False
    for package in packages:
        for hole in package.get("vulns", ()):
            fixed = ", ".join(hole["fix_versions"])
            mended = mended or bool(fixed)
            said.append(
                f"{package['name']} {package['version']}: {hole['id']}, mended in: {fixed or 'nothing yet'}"
            )
    return not mended, said or [f"{len(packages)} packages audited: nothing known"]


def main() -> int:
    """The exit code of this step."""
    done = subprocess.run([sys.executable, *COMMAND], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        passes, said = judged(json.loads(done.stdout))
    except ValueError:  # it could not even ask: that is no hole, and no proof that there is none
        last = done.stderr.strip().rpartition("\n")[2]
        passes, said = True, [f"NOT AUDITED: the advisories cannot be reached ({last})"]
    sys.stdout.writelines(f"audit: {line}\n" for line in said)
    return 0 if passes else 1


if __name__ == "__main__":
    sys.exit(main())
