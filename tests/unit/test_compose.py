"""compose.yaml: the services that belong together, their health and order, no secrets, real commands."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ketenzorg.settings import Settings
from ketenzorg.store.embedded import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["migrate", "api", "worker"]
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:[?-])[^}]*\}")


def test_it_is_one_database_one_migration_two_api_processes_and_one_worker() -> None:
    assert list(SERVICES) == ["db", "migrate", "api", "worker"]
    assert SERVICES["db"]["image"] == "postgres:18"
    api = SERVICES["api"]["command"]
    assert api[api.index("--processes") + 1] == "2"
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    assert not any("deploy" in service for service in SERVICES.values())


@pytest.mark.parametrize("name", ["db", "api", "worker"])
def test_what_stays_up_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


def test_nothing_serves_before_the_tables_are_there() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    for name in ("api", "worker"):
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_every_secret_comes_from_the_environment_and_must_be_given() -> None:
    values = [
        (key, value)
        for service in SERVICES.values()
        for key, value in service.get("environment", {}).items()
        if re.search(r"PASSWORD|URL|SECRET", key) and key != "KETENZORG_BASE_URL"
    ]
    for key, value in values:
        if key == "KETENZORG_SECRET_FILE":
            assert value.startswith("/run/secrets/")
            continue
        found = VARIABLE.findall(value)
        assert found, key
        assert all(operator == ":?" for _, operator in found), key
        rest = VARIABLE.sub("", value)
        assert re.fullmatch(r"(postgresql://\w+:@db/ketenzorg)?", rest), key
    assert COMPOSE["secrets"] == {"ketenzorg": {"environment": "SECRET_KEY"}}


def test_only_the_migration_gets_the_admin() -> None:
    assert [name for name in OURS if "KETENZORG_ADMIN_DATABASE_URL" in SERVICES[name]["environment"]] == [
        "migrate"
    ]


@pytest.mark.parametrize("name", OURS)
def test_the_environment_is_one_that_we_can_read(name: str) -> None:
    filled = {key: VARIABLE.sub("groningen", value) for key, value in SERVICES[name]["environment"].items()}
    Settings.from_environ(filled | {"KETENZORG_BASE_URL": "http://127.0.0.1:8080"})


def test_the_server_keeps_the_promises_of_the_embedded_one() -> None:
    given = dict(part.removeprefix("-c").split("=") for part in SERVICES["db"]["command"][1:])
    assert given.items() <= SETTINGS.items()
    promised = {name for name in SETTINGS if name.startswith("log_") and name != "log_timezone"}
    quiet = {"log_checkpoints", "log_autovacuum_min_duration"}  # noise, no values
    assert promised - quiet | {"fsync", "full_page_writes", "synchronous_commit"} == set(given)


@pytest.mark.parametrize(
    "command", [*(SERVICES[name]["command"] for name in OURS), ["health"]], ids=lambda c: c[0]
)
def test_every_command_is_one_of_ours(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ketenzorg", *command, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_image_is_built_from_the_lock_and_from_files_that_are_here() -> None:
    lines = SERVICES["api"]["build"]["dockerfile_inline"].splitlines()
    assert any("--require-hashes -r requirements.lock" in line for line in lines)
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert all((ROOT / name).exists() for name in copied), copied
    assert lines[-2] == "USER ketenzorg"
