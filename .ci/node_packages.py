"""Fetches the packages of node-packages.txt into a folder's node_modules; what is not what we pinned stops it.

python .ci/node_packages.py FOLDER
"""

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

PINNED = Path(__file__).with_name("node-packages.txt")


def fetch(package: str, sha512: str, modules: Path) -> None:
    packed = subprocess.run(  # noqa: S603
        ["npm", "pack", "--silent", "--ignore-scripts", package],  # noqa: S607
        cwd=modules, check=True, capture_output=True, text=True,
    ).stdout.split()[-1]  # fmt: skip
    archive = modules / packed
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != sha512:
        sys.exit(f"{package} is not what we pinned")
    place = modules / package.rpartition("@")[0]
    place.mkdir()
    subprocess.run(["tar", "-xzf", archive, "--strip-components=1", "-C", place], check=True)  # noqa: S603, S607
    archive.unlink()


if __name__ == "__main__":
    modules = Path(sys.argv[1]) / "node_modules"
    modules.mkdir(parents=True)
    for line in PINNED.read_text("utf-8").splitlines():
        fetch(*line.split(), modules)
