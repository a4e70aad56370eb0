"""Where the databases of a data folder lie, and which one holds a site."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from statetrace.database import queries
from statetrace.database.database import Database, open_database
from statetrace.errors import DatabaseError
from statetrace.model import DatabaseState, fold, safe_file_name
from statetrace.model.names import UNKNOWN_SITE, stored_site_code

SUFFIXES = (".sqlite", ".accdb")
"""Of the databases of one name the first counts."""
BACKUP_FOLDER = "Backups"
_NO_SITE = re.compile(r"PerfPipeline(?:-.*)?\.[^.]*", re.IGNORECASE)
_BACKUP = re.compile(r"\.backup[.-]", re.IGNORECASE)


class SiteDatabases:
    """The site databases of a data folder, each opened once and shared by all threads.

    Arguments:
        data_folder: the ``Data`` folder of an original StateTrace or of ours; it need not exist yet.
        override: one database for all sites, whatever lies in the folder.
    """

    def __init__(self, data_folder: Path | str, override: Path | str | None = None) -> None:
        self.data_folder = Path(data_folder).absolute()
        self.override = None if override is None else Path(override).absolute()
        self._lock = threading.Lock()
        self._opened: dict[Path, Database] = {}
        self._held: dict[Path, tuple[DatabaseState, dict[str, str]]] = {}

    def path_of(self, site: str) -> Path:
        """The database file of a site: the one that exists, else where a new one is made.

        In ``<folder>/<site up to its first dash>/`` before ``<folder>/``, a SQLite file before an Access file
        (reference: access-database 1.2). Names are found in any case.

        Raises:
            UnsafeName: a site that must not become part of a path.
            DatabaseError: a folder that must not be looked into.
        """
        if self.override is not None:
            return self.override
        site = site.strip() or UNKNOWN_SITE
        dash = site.find("-")
        names = [safe_file_name(site) + suffix for suffix in SUFFIXES]
        folder = self.data_folder / safe_file_name(site[:dash] if dash > 0 else site)
        try:
            modern = folder if folder.is_dir() else _entry(self.data_folder, folder.name) or folder
            for place in (modern, self.data_folder):
                for name in names:
                    if (found := _entry(place, name)) is not None and found.is_file():
                        return found
        except OSError as error:
            raise _unsearchable(folder, error) from error
        return modern / names[0]

    def paths(self) -> list[Path]:
        """All database files: those of the folder, then those of its folders, each in order of their names.

        Only if there are none, all further down. Benchmark databases, backups and unfinished files do not count, and
        neither does an Access file beside a SQLite file of its name (reference: access-database 1.3).
        """
        if self.override is not None:
            return [self.override] if self.override.exists() else []
        files, folders = _listing(self.data_folder)
        found = [*_databases(file for file in files if not _NO_SITE.fullmatch(file.name))]
        for folder in folders:
            found += _databases(_listing(folder)[0])
        return found or _recursive(self.data_folder)

    def open(self, site: str, *, create: bool = False) -> Database | None:
        """The database that holds a site: its own, else one of the folder in which it is found, else ``None``.

        Arguments:
            site: the site code, in any case.
            create: make a new SQLite database where there is none.

        Raises:
            UnsafeName: a site that must not become part of a path.
            DatabaseError: the database cannot be opened; or none holds the site, and one that may hold it, because it
                is not named after another one, could not be asked.
        """
        path = self.path_of(site)
        if self.override is not None or path.exists():
            return self._open(path, create=create) if create or path.exists() else None
        found = self._search({fold(name) for name in queries.stored_sites(site.strip() or UNKNOWN_SITE)})
        return self._open(path, create=True) if found is None and create else found

    def databases(self) -> Iterator[Database]:
        """All databases, opened, in the order of ``paths``."""
        return (self._open(path) for path in self.paths())

    def owns(self, state: DatabaseState) -> bool:
        """Whether the database of that state is one of these, be it there or gone."""
        path = Path(state.identity.rpartition("#")[0])
        if self.override is not None:
            return path == self.override.absolute()
        return path.is_relative_to(self.data_folder.absolute())

    def sites(self, *, failures: list[DatabaseError] | None = None) -> list[str]:
        """The site codes of all databases in their first spelling, sorted without regard to case.

        A device without site, or with the four characters that the original stored, counts by its host name.

        Arguments:
            failures: receives what went wrong with databases that cannot be read, in place of raising it.

        Raises:
            DatabaseError: a database that cannot be read.
        """
        codes: dict[str, str] = {}
        for path in self.paths():
            try:
                found = self._codes(self._open(path))
            except DatabaseError as error:
                if failures is None:
                    raise
                failures.append(error)
                continue
            for folded, code in found.items():
                codes.setdefault(folded, code)
        return [code for _, code in sorted(codes.items())]

    def close(self) -> None:
        """Close all databases; they are opened again when asked for."""
        with self._lock:
            opened, self._opened, self._held = self._opened, {}, {}
        for database in opened.values():
            database.close()

    def _open(self, path: Path, *, create: bool = False) -> Database:
        with self._lock:
            database = self._opened.get(path)
            if database is not None and create and not os.path.lexists(path):
                database.close()  # its file was deleted
                database = None
            if database is None:
                database = self._opened[path] = open_database(path, create=create)
            return database

    def _search(self, names: set[str]) -> Database | None:
        failure: DatabaseError | None = None
        for path in self.paths():
            try:
                database = self._open(path)
                if names & self._codes(database).keys():
                    return database
            except DatabaseError as error:
                # One in a folder of its name is another site's.
                if fold(path.stem) != fold(path.parent.name):
                    failure = failure or error
        # A database that cannot be asked may be the one: "unknown site" would be a guess.
        if failure is not None:
            raise failure
        return None

    def _codes(self, database: Database) -> dict[str, str]:
        """The site codes of a database by their folded form; asked again only after it changed."""
        state = database.state()
        held = self._held.get(database.path)
        if held is None or held[0] != state:
            with database.connect() as connection:
                rows = connection.execute(queries.site_hosts()).fetchall()
            # A SQLite column takes numbers and bytes too, whatever its type.
            codes = [stored_site_code(*("" if value is None else str(value) for value in row)) for row in rows]
            held = state, {fold(code): code for code in reversed(codes)}
            self._held[database.path] = held
        return held[1]


def _entry(folder: Path, name: str) -> Path | None:
    """The entry of that name in any case, the exact one first."""
    exact = folder / name
    if exact.exists():
        return exact
    folded = name.casefold()
    try:
        return min((entry for entry in folder.iterdir() if entry.name.casefold() == folded), default=None)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _unsearchable(folder: Path, error: OSError) -> DatabaseError:
    return DatabaseError(folder, f"cannot be searched for databases: {error.strerror}")


def _listing(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files and folders in a folder, by name; nothing of a folder that is not there."""
    try:
        entries = sorted(folder.iterdir(), key=_by_name)
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        raise _unsearchable(folder, error) from error
    folders = [entry for entry in entries if entry.is_dir() and entry.name.casefold() != BACKUP_FOLDER.casefold()]
    return [entry for entry in entries if entry.is_file()], folders


def _databases(files: Iterable[Path]) -> list[Path]:
    by_stem: dict[str, Path] = {}
    for file in files:
        suffix = file.suffix.lower()
        if suffix not in SUFFIXES or file.name.startswith(".") or _BACKUP.search(file.name):
            continue
        known = by_stem.get(file.stem.casefold())
        if known is None or SUFFIXES.index(suffix) < SUFFIXES.index(known.suffix.lower()):
            by_stem[file.stem.casefold()] = file
    return list(by_stem.values())


def _recursive(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted((name for name in folders if name.casefold() != BACKUP_FOLDER.casefold()), key=str.casefold)
        files = (Path(parent, name) for name in sorted(names, key=str.casefold))
        found += _databases(file for file in files if not _NO_SITE.fullmatch(file.name))
    return found


def _by_name(path: Path) -> tuple[str, str]:
    return path.name.casefold(), path.name
