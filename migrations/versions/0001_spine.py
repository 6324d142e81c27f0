"""The spine: resources, search rows, trajecten, events, outbox, audit; and the wall."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    # asyncpg prepares what SQLAlchemy executes, and a prepared statement is one command; the driver's own
    # execute takes a whole file.
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0001_tables.sql")
    _run("0001_walls.sql")


def downgrade() -> None:
    _run("0001_down.sql")
