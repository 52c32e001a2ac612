"""The phantom benchmark as a folder: what is written is what was generated."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medad.data.phantom.benchmark import phantom_benchmark
from medad.data.phantom.files import write_phantoms
from medad.data.repartition import Repartition
from medad.errors import UserError


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", ["manifest.csv", "data.json"])
def test_written_files_say_the_same_as_the_sets(tmp_path, channels, form):
    made = phantom_benchmark(size=33, channels=channels, normal=2, unlabeled=5, test=(2, 4))
    write_phantoms(tmp_path / "new" / "phantom", made)
    read = Repartition.read(tmp_path / "new" / "phantom", Path(form))
    for split in ("normal", "unlabeled", "test"):
        images, entries = getattr(made, split), {entry.id: entry for entry in getattr(read, split)}
        assert sorted(entries) == sorted(images.ids)
        for row, name in enumerate(images.ids):
            entry = entries[name]
            assert (entry.label, entry.kind) == (images.labels[row], images.kinds[row])
            stored = np.asarray(Image.open(entry.path)).reshape(33, 33, channels)
            np.testing.assert_array_equal(stored.transpose(2, 0, 1), images.pixels[row])
            mask = np.asarray(Image.open(entry.mask)) if entry.mask else np.zeros((33, 33))
            np.testing.assert_array_equal(mask, 255 * images.masks[row])


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file: not a folder"):
        write_phantoms(tmp_path / "file", phantom_benchmark(size=32, normal=1, unlabeled=0, test=(0, 0)))
