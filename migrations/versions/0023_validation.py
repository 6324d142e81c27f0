"""Validation: whether what breaks a rule on which nothing depends is refused from a client, or kept with a warning."""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0023_validation.sql")


def downgrade() -> None:
    _run("0023_down.sql")
