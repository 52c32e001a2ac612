"""Stored audits and the page that is printed from them."""

import json

from medad.experiments.pages.audit import page
from medad.experiments.studies.audit import store_audit, without_names


def test_an_audit_is_stored_without_names_of_images_and_printed(phantoms, tmp_path):
    file = store_audit("phantoms", phantoms.parent, tmp_path)
    record = json.loads(file.read_text())
    assert file == tmp_path / "phantoms" / "audit.json"
    assert record["images"] == {"normal": 12, "unlabeled normal": 4, "unlabeled abnormal": 6} | {
        "test normal": 8,
        "test abnormal": 8,
    }
    assert "named" not in record["near"] and record["files"]["tiny"] == {"count": 0}
    text = page(tmp_path)
    thumbnail = record["shortcuts"]["classes"]["features"]["thumbnail"]
    assert "## phantoms" in text and f"| 8 x 8 thumbnail | {100 * thumbnail[0]:.1f} [" in text


def test_counts_and_sentences_stay():
    record = {"a": [{"images": {"count": 2, "images": ["x", "y"]}}], "images": {"normal": 3}, "reasons": {"x": "bad"}}
    assert without_names(record) == {"a": [{"images": {"count": 2}}], "images": {"normal": 3}}
