"""The audit line as NEN 7513 asks for it."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0007_audit.sql")


def downgrade() -> None:
    _run("0007_down.sql")
