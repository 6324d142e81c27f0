"""The tables that queries are built on; migrations/ makes them, a test holds the two together."""

from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

METADATA = MetaData(schema="ketenzorg")


def _moment(name: str) -> "Column[object]":
    return Column(name, DateTime(timezone=True))


resource = Table(
    "resource",
    METADATA,
    Column("region", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("version", Integer),
    _moment("updated"),
    Column("traject", UUID),
    Column("source", UUID),
    Column("parties", ARRAY(UUID)),
    Column("body", LargeBinary),
)

search_token = Table(
    "search_token",
    METADATA,
    Column("region", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("param", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("parties", ARRAY(UUID)),
)

search_reference = Table(
    "search_reference",
    METADATA,
    Column("region", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("param", Text, primary_key=True),
    Column("target", UUID, primary_key=True),
    Column("target_type", Text, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("parties", ARRAY(UUID)),
)

search_date = Table(
    "search_date",
    METADATA,
    Column("region", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("param", Text, primary_key=True),
    Column("low", DateTime(timezone=True), primary_key=True),
    Column("high", DateTime(timezone=True), primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("parties", ARRAY(UUID)),
)

traject = Table(
    "traject",
    METADATA,
    Column("region", Text, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("pathway", Text),
    Column("version", Text),
    Column("step", Text),
    Column("roles", JSONB),
    Column("phases", JSONB),
    Column("involved", ARRAY(UUID)),
    Column("parties", ARRAY(UUID)),
)
