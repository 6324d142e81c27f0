"""The environment: defaults, every mistake at once and by name, and the secret file."""

import stat
from pathlib import Path

import pytest

from ketenzorg.secret_file import read_or_make_secret, read_secret
from ketenzorg.settings import (
    VARIABLES,
    Settings,
    WrongSetting,
    for_asyncpg,
    for_sqlalchemy,
)

HOME = {"HOME": "/home/anna"}


def test_nothing_needs_to_be_set() -> None:
    settings = Settings.from_environ(HOME)
    assert settings.database_url is None
    assert settings.data_dir == Path("/home/anna/.local/share/ketenzorg")
    assert settings.secret_file == settings.data_dir / "secret.key"
    assert settings.audience == "http://127.0.0.1:8080/fhir"
    assert settings.migrations.is_dir()


def test_the_users_data_folder_is_the_one_of_the_desktop_standard() -> None:
    assert Settings.from_environ(HOME | {"XDG_DATA_HOME": "/data"}).data_dir == Path("/data/ketenzorg")
    assert Settings.from_environ(HOME | {"XDG_DATA_HOME": "relative"}).data_dir.is_relative_to("/home/anna")


def test_each_variable_changes_a_setting(tmp_path: Path) -> None:
    values = {
        "KETENZORG_DATABASE_URL": "postgres://app@db/ketenzorg",
        "KETENZORG_ADMIN_DATABASE_URL": "postgresql://admin@db/ketenzorg",
        "KETENZORG_DATA_DIR": str(tmp_path / "data"),
        "KETENZORG_SECRET_FILE": str(tmp_path / "secret"),
        "KETENZORG_KEKS": "2026=file:/run/secrets/kek, secret",
        "KETENZORG_REGION": "drenthe",
        "KETENZORG_PATHWAYS": str(tmp_path),
        "KETENZORG_MIGRATIONS": str(tmp_path),
        "KETENZORG_FHIR_PACKAGES": str(tmp_path),
        "KETENZORG_PG_BIN": str(tmp_path),
        "KETENZORG_BASE_URL": "https://keten.example/",
        "KETENZORG_AUDIENCE": "https://gateway.example/fhir",
        "KETENZORG_LOG_LEVEL": "DEBUG",
        "KETENZORG_AUDIT_YEARS": "15",
        "KETENZORG_EVENT_DAYS": "90",
        "KETENZORG_SANDBOX": "yes",
        "KETENZORG_OUTGOING_NETWORKS": "10.20.0.0/16, ::1/128",
        "KETENZORG_MAIL_FROM": "keten@keten.example",
        "KETENZORG_MAIL_OPERATOR": "beheer@keten.example",
        "KETENZORG_MAIL_SERVER": "smtps://keten:geheim@mail.example",
        "KETENZORG_TLS_CERTIFICATE": __file__,
        "KETENZORG_TLS_KEY": __file__,
        "KETENZORG_TLS_CLIENT_CA": __file__,
        "KETENZORG_TLS_CLIENT_CRL": __file__,
        "KETENZORG_CLIENT_RATE": "7",
        "KETENZORG_PERSON_RATE": "7",
        "KETENZORG_ADDRESS_RATE": "7",
        "KETENZORG_AT_ONCE": "7",
        "KETENZORG_CONNECTIONS": "7",
        "KETENZORG_PROXIES": "10.1.2.3",
    }
    assert set(values) == {variable.name for variable in VARIABLES}
    for name, value in values.items():
        # Of these each may need the ones before it.
        before = HOME | {
            each: values[each]
            for each in values
            if each.startswith(("KETENZORG_TLS", "KETENZORG_MAIL")) and each < name
        }
        assert Settings.from_environ(before | {name: value}) != Settings.from_environ(before), name
    assert Settings.from_environ(values).base_url == "https://keten.example"


def test_every_mistake_is_told_at_once_by_the_name_of_its_variable() -> None:
    wrong = {
        "KETENZORG_DATABASE_URL": "mysql://app:geheim@db/x",
        "KETENZORG_REGION": "Groningen!",
        "KETENZORG_PATHWAYS": "/nowhere",
        "KETENZORG_BASE_URL": "keten.example",
        "KETENZORG_LOG_LEVEL": "loud",
        "KETENZORG_OUTGOING_NETWORKS": "10.20.0.1/16",
        "KETENZORG_MAIL_OPERATOR": "beheer",
        "KETENZORG_TLS_KEY": __file__,
        "KETENZORG_DATABSE_URL": "postgresql://db/x",
    }
    with pytest.raises(WrongSetting) as caught:
        Settings.from_environ(HOME | wrong)
    assert sorted(issue.en.split(":")[0].split(" ")[0] for issue in caught.value.issues) == sorted(wrong)
    assert not any("geheim" in issue.en + issue.nl for issue in caught.value.issues)


@pytest.mark.parametrize(
    "wrong", ["smtp://keten:geheim@mail.example:x", "https://geheim@mail", "smtp:geheim"]
)
def test_the_address_of_a_mail_server_is_never_repeated(wrong: str) -> None:
    settings = {"KETENZORG_MAIL_FROM": "keten@keten.example", "KETENZORG_MAIL_SERVER": wrong}
    with pytest.raises(WrongSetting, match="KETENZORG_MAIL_SERVER: is smtp://") as caught:
        Settings.from_environ(HOME | settings)
    assert "geheim" not in str(caught.value)


def test_an_empty_variable_is_not_set() -> None:
    assert Settings.from_environ(HOME | {"KETENZORG_REGION": ""}).region == "groningen"


def test_an_address_has_one_form_for_each_reader() -> None:
    ours = for_sqlalchemy("postgres://a:b@/db?host=/run/pg")
    assert ours == for_sqlalchemy(ours) == "postgresql+asyncpg://a:b@/db?host=/run/pg"
    assert for_asyncpg(ours) == "postgresql://a:b@/db?host=/run/pg"


def test_the_secret_is_made_once_for_our_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    secret = read_or_make_secret(path)
    assert len(secret) == 32
    assert secret == read_or_make_secret(path) == read_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_secret_that_is_missing_or_short_says_how_to_make_one(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "secret.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WrongSetting, match=r"KETENZORG_SECRET_FILE: .*head -c 32"):
        read_secret(path)
    if content is not None:
        with pytest.raises(WrongSetting):
            read_or_make_secret(path)  # never overwritten: what it sealed would be lost
        assert path.read_bytes() == content
