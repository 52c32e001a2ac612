"""Consoles that are not UTF-8: nothing ends in a traceback once the work is done."""

import io
import json

import pytest

from medad.cli.commands import main


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_lacks_is_escaped(encoding, finished, phantoms, undrawn, tmp_path, monkeypatch):
    out, console = tmp_path / "Über–sicht", io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", console)
    assert main(["evaluate", str(finished), str(phantoms), "--out", str(out), "--device", "cpu"]) == 0
    written = console.buffer.getvalue()
    assert b"sicht" in written and rb"\u2013" in written and (b"\xdc" if encoding == "latin-1" else rb"\xdc") in written
    assert "image" in json.loads((out / "metrics.json").read_text())
