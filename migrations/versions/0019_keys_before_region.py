"""Indexes by which a lookup by key stays one, also before the first statistics."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0019_keys_before_region.sql")


def downgrade() -> None:
    _run("0019_down.sql")
