"""Worklists: the part of each organisation in a traject, kept in step with the traject by the database itself."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0002_worklist.sql")


def downgrade() -> None:
    _run("0002_down.sql")
