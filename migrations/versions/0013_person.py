"""All trajecten of a person are found, also those that ended."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0013_person.sql")


def downgrade() -> None:
    _run("0013_down.sql")
