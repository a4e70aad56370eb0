"""Site databases: their tables and statements, where they are, how they are opened, read, written and copied."""

from statetrace.database import queries, schema
from statetrace.database.convert import ConversionReport, convert_database
from statetrace.database.database import Database, open_database
from statetrace.database.locations import SiteDatabases
from statetrace.database.retry import Retried, run_with_retry
from statetrace.database.schema import create_tables

__all__ = [
    "ConversionReport",
    "Database",
    "Retried",
    "SiteDatabases",
    "convert_database",
    "create_tables",
    "open_database",
    "queries",
    "run_with_retry",
    "schema",
]
