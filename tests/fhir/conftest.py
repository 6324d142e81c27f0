"""The FHIR material as fixtures: a test that takes one is skipped where the folder is not."""

import os
import tarfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_MATERIAL = Path(os.environ.get("KETENZORG_TEST_FHIR_MATERIAL", _ROOT.parent / "shared" / "fhir"))


def _material(name: str) -> Path:
    path = _MATERIAL / name
    if not path.exists():
        pytest.skip(f"FHIR material not here: set KETENZORG_TEST_FHIR_MATERIAL to the folder that has {name}")
    return path


@pytest.fixture(scope="session")
def r4_package() -> Path:
    return _material("hl7.fhir.r4.core-4.0.1.tgz")


@pytest.fixture(scope="session")
def examples() -> Path:
    return _material("examples")


@pytest.fixture(scope="session")
def nl_core_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nictiz's packages in a package cache folder."""
    folder = tmp_path_factory.mktemp("packages")
    for path in _material("nl-core-packages").glob("*.tgz"):
        name, _, version = path.stem.partition("-0")
        with tarfile.open(path) as archive:
            archive.extractall(folder / f"{name}#0{version}", filter="data")
    return folder
