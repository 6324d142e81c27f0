"""Subscriptions in the place of endpoints, and an outbox that is numbered for each of them."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0009_subscriptions.sql")


def downgrade() -> None:
    _run("0009_down.sql")
