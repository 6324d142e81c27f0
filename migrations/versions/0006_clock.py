"""The clock: every norm and control that runs, by the moment at which somebody must be told of it."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0006_clock.sql")


def downgrade() -> None:
    _run("0006_down.sql")
