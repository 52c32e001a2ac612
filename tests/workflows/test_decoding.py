"""Images are decoded one chunk ahead, no further, and not at all once nobody wants them."""

import threading
import time

import numpy as np
import pytest

from medad.data import loading
from medad.data.finding import find_images
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.workflows import decoding
from medad.workflows.decoding import decode_ahead


@pytest.fixture
def entries(phantoms):
    return find_images([phantoms / "images"]).entries


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_chunks_hold_all_images_in_order(entries, chunk):
    parts = list(decode_ahead(entries, Preprocessing(64), chunk, 2))
    assert [len(part.images) for part in parts[:-1]] == [chunk] * (len(parts) - 1)
    whole = load_images(entries, Preprocessing(64), cache=False).images
    assert tuple(name for part in parts for name in part.images.ids) == whole.ids
    np.testing.assert_array_equal(np.concatenate([part.images.pixels for part in parts]), whole.pixels)


def test_one_chunk_is_decoded_ahead_and_in_a_thread(entries, monkeypatch):
    begun = []

    def load(chunk, *rest, **settings):
        begun.append(threading.current_thread())
        return load_images(chunk, *rest, **settings)

    monkeypatch.setattr(decoding, "load_images", load)
    for number, _ in enumerate(decode_ahead(entries, Preprocessing(64), 4, 1), start=1):
        time.sleep(0.1)
        assert len(begun) == min(number + 1, -(-len(entries) // 4))
    assert begun[0] is threading.main_thread() and threading.main_thread() not in begun[1:]


def test_a_fault_while_decoding_reaches_the_caller(entries, monkeypatch):
    def load(chunk, *rest, **settings):
        if chunk[0] is not entries[0]:
            raise MemoryError
        return load_images(chunk, *rest, **settings)

    monkeypatch.setattr(decoding, "load_images", load)
    chunks = decode_ahead(entries, Preprocessing(64), 4, 1)
    assert len(next(chunks).images) == 4
    with pytest.raises(MemoryError):
        next(chunks)


def test_decoding_ends_when_the_iterator_is_closed(entries, monkeypatch):
    decoded, waiting = [], threading.Event()

    def slow(path, frame):
        decoded.append(path)
        if len(decoded) > 2:
            waiting.set()
            time.sleep(0.05)
        return decode(path, frame)

    decode = loading.decode
    monkeypatch.setattr(loading, "decode", slow)
    threads = threading.active_count()
    chunks = decode_ahead(entries[:1] * 2 + entries, Preprocessing(64), 2, 1)
    next(chunks)
    assert waiting.wait(10)
    chunks.close()
    assert len(decoded) <= 4 and threading.active_count() == threads
