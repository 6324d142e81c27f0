"""Data keys: what seals personal numbers and secrets, itself wrapped."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0005_data_keys.sql")


def downgrade() -> None:
    _run("0005_down.sql")
