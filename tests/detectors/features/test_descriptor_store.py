"""Descriptors on disk: what was written comes back, and whatever is wrong with the file is as good as no file."""

import os
import sqlite3

import numpy as np
import pytest

from medad.detectors.features.descriptor_store import DescriptorStore

DESCRIPTORS = {bytes([i]) * 16: np.arange(2000, dtype=np.float32) + i for i in range(20)}


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDAD_CACHE", str(tmp_path / "cache"))
    return DescriptorStore("network-digest")


def assert_known(found, wanted=DESCRIPTORS):
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[digest], wanted[digest]) for digest in wanted)


def works(store):
    """Whether the store keeps something new."""
    store.write({b"new": np.ones(3, np.float32)})
    return bool(store.read([b"new"]))


def test_what_was_written_comes_back(store):
    assert store.read(list(DESCRIPTORS)) == {}
    store.write(DESCRIPTORS)
    assert_known(store.read([*DESCRIPTORS, b"never seen"]))
    assert_known(DescriptorStore("network-digest").read(list(DESCRIPTORS)))
    assert DescriptorStore("network-other").read(list(DESCRIPTORS)) == {}


def test_more_keys_than_a_question_holds(store):
    many = {i.to_bytes(4, "big"): np.full(2, i, np.float32) for i in range(1200)}
    store.write(many)
    assert_known(store.read(list(many)), many)


def test_nothing_in_it_names_an_image(store):
    store.write(DESCRIPTORS)
    with sqlite3.connect(store.file) as database:
        columns = [row[1] for row in database.execute("pragma table_info(descriptors)")]
    database.close()
    assert columns == ["digest", "numbers"]


@pytest.mark.parametrize("content", [b"no database at all", b"\0" * 5000, b""], ids=["text", "zeros", "empty"])
def test_a_file_that_is_no_database_is_replaced(store, content):
    store.write(DESCRIPTORS)
    store.file.write_bytes(content)
    assert store.read(list(DESCRIPTORS)) == {}
    store.write(DESCRIPTORS)
    store.write(DESCRIPTORS)
    assert_known(store.read(list(DESCRIPTORS)))


def test_damage_anywhere_gives_no_wrong_number(store):
    store.write(DESCRIPTORS)
    whole, rng = store.file.read_bytes(), np.random.default_rng(0)
    for at in rng.integers(0, len(whole), 15):
        for changed in (whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :], whole[:at]):
            store.file.write_bytes(changed)
            found = store.read(list(DESCRIPTORS))
            assert_known(found, {digest: DESCRIPTORS[digest] for digest in found})
            store.write(DESCRIPTORS)


def test_a_row_that_has_changed_is_written_anew(store):
    store.write(DESCRIPTORS)
    with sqlite3.connect(store.file) as database:
        database.execute("update descriptors set numbers = zeroblob(8016) where digest = ?", [b"\3" * 16])
        database.execute("update descriptors set numbers = 'text' where digest = ?", [b"\4" * 16])
        database.execute("update descriptors set numbers = null where digest = ?", [b"\5" * 16])
    database.close()
    assert DESCRIPTORS.keys() - store.read(list(DESCRIPTORS)).keys() == {b"\3" * 16, b"\4" * 16, b"\5" * 16}
    store.write(DESCRIPTORS)
    assert_known(store.read(list(DESCRIPTORS)))


@pytest.mark.parametrize("obstacle", ["a file for the folder", "a folder for the file", "another table"])
def test_what_cannot_be_read_or_written_is_as_good_as_none(store, obstacle):
    folder = store.file.parent
    match obstacle:
        case "a file for the folder":
            folder.parent.mkdir()
            folder.touch()
        case "a folder for the file":
            store.file.mkdir(parents=True)
        case "another table":
            folder.mkdir(parents=True)
            with sqlite3.connect(store.file) as database:
                database.execute("create table descriptors (name text)")
            database.close()
    store.write(DESCRIPTORS)
    assert store.read(list(DESCRIPTORS)) == {}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="may write everywhere")
def test_a_read_only_store_is_read(store):
    store.write(DESCRIPTORS)
    store.file.chmod(0o400)
    store.file.parent.chmod(0o500)
    assert_known(store.read(list(DESCRIPTORS)))
    assert not works(store)
    store.file.parent.chmod(0o700)


def test_a_busy_store_is_left_alone(store, monkeypatch):
    monkeypatch.setattr(sqlite3, "connect", lambda *a, connect=sqlite3.connect, **how: connect(*a, timeout=0))
    store.write(DESCRIPTORS)
    other = sqlite3.connect(store.file)
    other.execute("begin exclusive")
    assert not works(store) and store.read(list(DESCRIPTORS)) == {}
    other.close()
    assert_known(store.read(list(DESCRIPTORS)))
