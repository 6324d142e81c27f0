"""`ketenzorg upgrade --check`: what it says of an upgrade, and that it changes nothing."""

import shutil
from pathlib import Path

import pytest

from databases import Database, execute
from ketenzorg.settings import Settings
from ketenzorg.store.revision import newest, revision_at
from ketenzorg.store.upgrading import look_ahead

MIGRATION = '''"""What comes."""
revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("""{sql}""")


def downgrade() -> None:
    op.execute("drop table ketenzorg.event")
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Settings.from_environ({}).migrations, tmp_path / "migrations"))


async def test_at_the_newest_revision_no_function_has_changed(database: Database, folder: Path) -> None:
    found = await look_ahead(database.admin_url, folder)
    assert (found.stands_at, found.pending, found.functions) == (newest(folder), [], [])
    assert found.others_go_on
    assert found.is_short


@pytest.mark.parametrize(
    ("sql", "go_on", "short"),
    [
        ("alter table event add column more text", True, True),
        ("alter table event add column more text not null default ''", True, True),
        ("create table more (region text not null)", True, True),
        ("create index more on event (region)", True, False),
        ("update event set seq = seq", True, False),
        ("update traject set seq = seq", True, True),  # a small one
        ("alter table event drop column seq", False, True),
        ("alter table event rename column seq to number", False, True),
        ("alter table event add column more text not null;", False, True),
        ("alter table event alter column seq type bigint", False, False),
        ("drop table due", False, True),
    ],
)
async def test_what_a_migration_does_is_said(
    database: Database, folder: Path, sql: str, go_on: bool, short: bool
) -> None:
    (folder / "versions" / "9999_more.py").write_text(MIGRATION.format(before=newest(folder), sql=sql))
    await execute(
        database.admin_url, "update pg_class set reltuples = 1e6 where oid = 'ketenzorg.event'::regclass"
    )
    found = await look_ahead(database.admin_url, folder)
    assert [(each.revision, each.title) for each in found.pending] == [("9999", "What comes.")]
    assert (found.others_go_on, found.is_short) == (go_on, short)
    assert await revision_at(database.app_url) != "9999"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (", p_most int)", ", p_most bigint)"),
        (", p_most int)", ", p_limit int)"),
        (", p_most int) returns int", ", p_most int) returns bigint"),
    ],
)
async def test_a_function_that_running_programs_would_miss_is_named(
    database: Database, folder: Path, before: str, after: str
) -> None:
    file, function = (
        folder / "sql" / "functions" / "counting.sql",
        "create function counts_behind(p_region text",
    )
    text = file.read_text("utf-8")
    assert function + before in text
    text = text.replace(function + before, function + after)
    if "bigint)" in after:
        text = text.replace("counts_behind(text, int)", "counts_behind(text, bigint)")
    file.write_text(text, "utf-8")
    found = await look_ahead(database.admin_url, folder)
    assert found.functions == ["ketenzorg.counts_behind(text,integer)"]
    assert not found.others_go_on
