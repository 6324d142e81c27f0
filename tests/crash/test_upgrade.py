"""An upgrade under load: programs of before go on while the tables and functions of after come; requests only wait."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from crash.load import HEARS, Load, counted, do, headers
from databases import APP_PASSWORD, Database
from ketenzorg.app import create_app
from ketenzorg.settings import MIGRATIONS, Settings
from ketenzorg.store.migrate import migrate
from ketenzorg.store.revision import newest, revision_at
from services import SECRET, SETTINGS

LATER = '''"""What another version brings."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("alter table ketenzorg.event add column later text collate \\"C\\" not null default ''")
    op.execute("alter table ketenzorg.traject add column later text collate \\"C\\"")
    op.execute("create index later_resources on ketenzorg.resource (region, updated)")
    op.execute("update ketenzorg.traject set counts = counts")
'''
NEW_FUNCTION = """
set local search_path = ketenzorg, pg_temp;
create function later(p_region text) returns bigint
language sql stable security definer set search_path = ketenzorg, pg_temp as $$ select 1::bigint $$;
grant execute on function later(text) to ketenzorg_app;
"""
UPGRADES = ("9001", "9002", "9003")


def later_version(folder: Path, revision: str, before: str) -> None:
    """Another revision: tables that grow, a function that comes, and all others with another body."""
    text = LATER.replace("later", f"later_{revision}").format(revision=revision, before=before)
    (folder / "versions" / f"{revision}_later.py").write_text(text, "utf-8")
    (folder / "sql" / "functions" / "later.sql").write_text(NEW_FUNCTION, "utf-8")
    for path in (folder / "sql" / "functions").glob("*.sql"):
        body = re.sub(r"^\$\$;", f"-- {revision}\n$$;", path.read_text("utf-8"), flags=re.M)
        path.write_text(body, "utf-8")


async def test_what_runs_goes_on_while_the_database_is_upgraded(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(Settings.from_environ({}).migrations, folder)
    await do(database.admin_url, HEARS)
    app = create_app(SETTINGS, SECRET, database.app_url, in_sandbox=True)

    def client(name: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers(name))

    load = Load(client, total=600)
    monkeypatch.setenv(MIGRATIONS.name, str(folder))
    async with load.running():
        for turn, revision in enumerate(UPGRADES, 1):
            later_version(folder, revision, newest(folder))
            await load.promises.reach(turn * 40)
            await migrate(database.admin_url, app_password=APP_PASSWORD)
            assert turn > 1 or len(load.promises) < 1200, "the load ended before the first upgrade did"
    async with client("his-demo") as his:
        assert (await his.get("/health/ready")).status_code == 200  # a newer revision than its own
    await app.litestar.state.world.bell.close()
    await app.litestar.state.database.close()
    await counted(database.admin_url, load.promises)

    assert await revision_at(database.app_url) == UPGRADES[-1]
    assert load.promises.statuses == {200}
    assert load.promises.unknown == 0
    record_testsuite_property("acknowledged during upgrades", len(load.promises))
