"""The functions that the service calls, made anew at an upgrade while programs of before still call them.

What keeps its name, arguments and result is replaced in place: who calls it at that moment finds the old one or the
new one, never none. What does not can only go and come, and a program of before that calls it fails; so authors give
it a new name, and leave the old one in its file for one release.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

SCHEMA = "ketenzorg"
ASIDE = "ketenzorg_to_compare"
HERE = f"set local search_path = {SCHEMA},"
# What policies and defaults ask is made with them, in a numbered migration.
MADE_WITH_TABLES = "'{callers,stamp,settled,transactions_before}'"
OURS = f"pronamespace = '{SCHEMA}'::regnamespace and proname <> all ({MADE_WITH_TABLES})"
# A function may be executed by everybody unless said otherwise; each file grants what the application calls.
NOT_FOR_EVERYBODY = f"revoke execute on all functions in schema {SCHEMA} from public"
NO_LONGER_SO = f"""
    select p.oid::regprocedure::text from pg_proc p where {OURS} and not exists (
        select from pg_proc n where n.pronamespace = '{ASIDE}'::regnamespace and n.proname = p.proname
            and replace(pg_get_function_arguments(n.oid), '{ASIDE}.', '{SCHEMA}.') = pg_get_function_arguments(p.oid)
            and replace(pg_get_function_result(n.oid), '{ASIDE}.', '{SCHEMA}.') = pg_get_function_result(p.oid))
    order by 1
"""  # noqa: S608  (only our own constants stand in it)
# Of the types in the files, those that are not here, or otherwise.
TYPE = re.compile(r"^create type (\w+) as [^;]*;", re.M)
FIELDS = """
    select array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum)
    from pg_attribute a where a.attrelid = {}.typrelid and a.attnum > 0
"""
OTHER_TYPES = f"""
    select n.typname, t.oid is not null from pg_type n join pg_class c on c.oid = n.typrelid and c.relkind = 'c'
    left join pg_type t on t.typname = n.typname and t.typnamespace = '{SCHEMA}'::regnamespace
    where n.typnamespace = '{ASIDE}'::regnamespace
        and ({FIELDS.format("n")}) is distinct from ({FIELDS.format("t")})
"""  # noqa: S608
DROP = f"""
    do $$
    declare name text;
    begin
        for name in select oid::regprocedure::text from pg_proc where {OURS}
        loop
            execute format('drop function %s cascade', name);
        end loop;
        drop type if exists {SCHEMA}.incoming, {SCHEMA}.audience;
    end
    $$
"""  # noqa: S608


class Changed(NamedTuple):
    """What cannot be replaced in place."""

    functions: list[str]  # gone, or with other arguments or another result
    types: dict[str, bool]  # new, or with other fields: whether there is one of before


def drop_functions(connection: Connection) -> None:
    """All of them; a trigger goes with its function."""
    connection.exec_driver_sql(DROP)


def make_functions(connection: Connection, folder: Path) -> None:
    """All anew, so that each file says what runs; an older revision gets its own from the program that knows it."""
    other = changed(connection, folder)
    for signature in other.functions:
        connection.exec_driver_sql(f"drop function {signature} cascade")
    for name in other.types:
        connection.exec_driver_sql(f"drop type if exists {SCHEMA}.{name} cascade")
    for text in _files(folder):
        in_place = re.sub(r"^create (function|trigger)", r"create or replace \1", text, flags=re.M)
        _execute(connection, re.sub(TYPE, lambda made: made[0] if made[1] in other.types else "", in_place))
    connection.exec_driver_sql(NOT_FOR_EVERYBODY)


def changed(connection: Connection, folder: Path) -> Changed:
    """What programs of before know and the folder no longer has, or has otherwise.

    PostgreSQL itself compares: they are made aside, and taken back. Raises PostgresError when they name what only a
    migration makes.
    """
    with connection.begin_nested() as aside:
        role = connection.exec_driver_sql("select current_user").scalar()
        connection.exec_driver_sql("set local role none")
        connection.exec_driver_sql(f"create schema {ASIDE}")
        connection.exec_driver_sql("set local check_function_bodies = off")
        for text in _files(folder):
            # A trigger would lock its table; of two of one name a grant does not know which.
            bare = re.sub(r"^(create trigger|grant) [^;]*;", "", text, flags=re.M)
            _execute(connection, bare.replace(HERE, f"set local search_path = {ASIDE}, {SCHEMA},", 1))
        connection.exec_driver_sql("set local search_path = pg_catalog")
        found = Changed(
            [row[0] for row in connection.exec_driver_sql(NO_LONGER_SO)],
            {row[0]: row[1] for row in connection.exec_driver_sql(OTHER_TYPES)},
        )
        aside.rollback()
    connection.exec_driver_sql(f"set local role {role}")
    return found


def _files(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "sql" / "functions").glob("*.sql")):
        yield path.read_text(encoding="utf-8")


def _execute(connection: Connection, text: str) -> None:
    # asyncpg prepares what SQLAlchemy executes, and a prepared statement is one command; the driver's own
    # execute takes a whole file.
    driver: Any = connection.connection
    driver.run_async(lambda raw: raw.execute(text))
