"""Messages: what is over can be listed and goes; what the others of a traject have not got is found by it."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"

SQL = Path(__file__).parents[1] / "sql"


def _run(name: str) -> None:
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().connection.run_async(lambda driver: driver.execute(text))


def upgrade() -> None:
    _run("0020_messages.sql")


def downgrade() -> None:
    _run("0020_down.sql")
