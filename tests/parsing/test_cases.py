"""Every folder ``cases/<vendor>/<case>`` holds a log, ``log.txt``, and what it says, ``expected.json``.

To add a case, write the log and run this test: it writes ``expected.json`` and fails. Look the file over, mend it where
it is not what the log says, and run the test again. Fields with their default value are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statetrace.model.facts import DeviceFacts
from statetrace.parsing import ParseResult, parse_devices

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(log.parent for log in CASES.glob("*/*/log.txt"))


def without_defaults(struct: msgspec.Struct) -> dict[str, Any]:
    told = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.required or value != field.default:
            is_rows = isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct)
            told[field.name] = [without_defaults(row) for row in value] if is_rows else msgspec.to_builtins(value)
    return told


def told(result: ParseResult) -> dict[str, Any]:
    return {
        "slice": result.name,
        "reason": result.reason,
        "facts": without_defaults(result.facts) if isinstance(result.facts, DeviceFacts) else None,
        "missed": [missed.text for missed in result.report.missed],
        "notes": [note.message for note in result.report.notes],
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_log_says_what_is_expected(folder: Path) -> None:
    results = json.loads(json.dumps([told(result) for result in parse_devices((folder / "log.txt").read_bytes())]))
    expected = folder / "expected.json"
    if not expected.exists():
        expected.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        pytest.fail(f"{expected} was missing and is written now: look it over")
    assert results == json.loads(expected.read_text(encoding="utf-8"))


def test_there_are_cases() -> None:
    assert FOLDERS
