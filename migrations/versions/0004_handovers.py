"""Hand-overs: who takes part in the one that runs now, and what a new party gets to see."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0004_handovers.sql")


def downgrade() -> None:
    _run("0004_down.sql")
