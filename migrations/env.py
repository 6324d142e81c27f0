"""Runs the migrations on the connection that ketenzorg.store.migrate hands over, in one transaction."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="ketenzorg")
with context.begin_transaction():
    context.run_migrations()
