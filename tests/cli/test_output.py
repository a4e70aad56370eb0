"""Tables and progress, on a terminal and elsewhere."""

from __future__ import annotations

import pytest

from statetrace.cli.output import counted, print_table

DIGEST = "0123456789abcdef" * 4
ROWS = [("ALDR", 1200, 1.5, DIGEST, "all of this may be broken into lines as they fit into the terminal " * 2)]
COLUMNS = ("Site", "Rows of it", "Total ms", "SHA-256", "Text")


@pytest.fixture(params=[20, 80])
def terminal(request, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", str(request.param))


def test_a_narrow_terminal_cuts_nothing(terminal, capsys):
    print_table(COLUMNS, ROWS)
    heading, first, *more = capsys.readouterr().out.splitlines()
    assert heading.split() == ["Site", "Rows", "of", "it", "Total", "ms", "SHA-256", "Text"]
    assert first.split()[:4] == ["ALDR", "1,200", "1.500", DIGEST]
    assert more  # the text goes on there
    assert " ".join([*first.split()[4:], *(word for line in more for word in line.split())]) == ROWS[0][4].strip()


def test_a_file_gets_every_row_as_one_line(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    print_table(COLUMNS, ROWS, title="of a site")
    title, _, row = capsys.readouterr().out.splitlines()
    assert title == "of a site"
    assert row.endswith(ROWS[0][4].strip())


def test_a_table_without_rows_is_its_title_at_most(capsys):
    print_table(COLUMNS, [])
    print_table(COLUMNS, [], title="of a site")
    assert capsys.readouterr().out == "of a site\n"


def test_one_is_no_plural():
    assert [counted(number, "host") for number in (0, 1, 1200)] == ["0 hosts", "1 host", "1,200 hosts"]
