"""`run` and its locks: what is installed when, what it says when Python lacks a part, who gets arguments."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {"requirements.lock": {"build"}, "requirements-dev.lock": {"build", "dev"}}

# Stands for Python: says yes to every `-c`, writes every other call down, and where it was called.
PYTHON = """#!/bin/sh
case "$1" in -c) exit 0 ;; esac
{ printf '%s|' "$PWD" "$@"; echo; } >>"$CALLS"
"""
VENV_MAKER = """#!/bin/sh
case "$*" in
    *version_info*) exit ${TOO_OLD:-0} ;;
    *ensurepip*) exit ${NO_VENV:-0} ;;
    --version) echo Python 3.11.0 ;;
    *) for folder in "$@"; do :; done; mkdir -p "$folder/bin"; cp "$PYTHON" "$folder/bin/python" ;;
esac
"""


class Checkout:
    """A folder with `run`, its locks and programs that only write down what they are asked."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a check out"
        self.root.mkdir()
        for name in ("run", "pyproject.toml", *LOCKS):
            (self.root / name).write_bytes((ROOT / name).read_bytes())
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls_file = folder / "calls"
        self.program("python", PYTHON)
        self.program("uv", "#!/bin/sh\nexit 1\n")
        for version in ("", ".11", ".12", ".13", ".14"):
            self.program(f"python3{version}", VENV_MAKER)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", self.root / "run", *arguments],
            cwd=self.bin,
            env={
                "PATH": f"{self.bin}{os.pathsep}/usr/bin{os.pathsep}/bin",
                "CALLS": str(self.calls_file),
                "PYTHON": str(self.bin / "python"),
                **environ,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[list[str]]:
        """What was called since the last time: the folder, then the arguments."""
        lines = self.calls_file.read_text().splitlines()
        self.calls_file.unlink()
        return [line.split("|")[:-1] for line in lines]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def installs(calls: list[list[str]]) -> list[str]:
    return [Path(call[-1]).name for call in calls if call[1:4] == ["-m", "pip", "install"]]


def test_the_first_run_installs_with_hashes_and_the_second_only_runs(checkout: Checkout) -> None:
    assert checkout.run("demo", "--once").returncode == 0
    calls = checkout.calls()
    assert installs(calls) == ["requirements.lock", "a check out"]
    assert "--require-hashes" in calls[0]
    assert {"--no-deps", "--no-build-isolation", "-e"} <= set(calls[1])
    assert checkout.run("demo", "--once").returncode == 0
    assert checkout.calls() == [[str(checkout.bin), "-m", "ketenzorg", "demo", "--once"]]


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_is_installed_again(checkout: Checkout, changed: str) -> None:
    checkout.run("demo")
    checkout.calls()
    with (checkout.root / changed).open("a") as file:
        file.write("\n")
    checkout.run("demo")
    assert installs(checkout.calls()) == ["requirements.lock", "a check out"]


def test_what_tests_need_holds_what_the_rest_needs(checkout: Checkout) -> None:
    checkout.run("test", "-k", "one or two")
    calls = checkout.calls()
    assert installs(calls) == ["requirements-dev.lock", "a check out"]
    assert calls[-1] == [str(checkout.root), "-m", "pytest", "-k", "one or two"]
    checkout.run("demo")
    assert installs(checkout.calls()) == []


def test_a_moved_checkout_makes_its_venv_anew(checkout: Checkout) -> None:
    checkout.run("demo")
    checkout.calls()
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert "making .venv" in checkout.run("demo").stderr
    assert installs(checkout.calls()) == ["requirements.lock", "moved"]


def test_a_failed_install_is_tried_again(checkout: Checkout) -> None:
    checkout.program("python", '#!/bin/sh\ncase "$1" in -c) exit 0 ;; esac\nexit 3\n')
    assert checkout.run("demo").returncode == 3
    assert checkout.run("demo").returncode == 3


def test_a_missing_venv_module_names_the_package(checkout: Checkout) -> None:
    done = checkout.run("demo", NO_VENV="1")
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (checkout.root / ".venv").exists()


def test_a_python_that_is_too_old_is_told(checkout: Checkout) -> None:
    done = checkout.run("demo", TOO_OLD="1")
    assert done.returncode == 1
    assert "Python 3.11 or later" in done.stderr


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_is_that_of_pyproject_with_hashes_and_without_hosts(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))
    entries = re.split(r"\n(?=[a-z])", text)[1:]
    assert len(entries) == len(pinned)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|index-url|find-links|^-e|file:", text, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [project["optional-dependencies"][name] for name in LOCKS[lock]]
    for requirement in map(Requirement, sum(extras, project["dependencies"])):
        if requirement.name != project["name"]:
            version = pinned[re.sub(r"[-_.]+", "-", requirement.name.lower())]
            assert requirement.specifier.contains(version), requirement


def test_the_smaller_lock_is_a_part_of_the_larger() -> None:
    small, large = (set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS)
    assert small < large
