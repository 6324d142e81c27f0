"""Stamps: the order of commits outlives a restore on a server that counts its transactions anew."""

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0021_stamps.sql")


def downgrade() -> None:
    _run("0021_down.sql")
