"""``medad reproduce pitfalls...`` from a folder of images to the page."""

import shutil

import nibabel
import numpy as np
import pytest
import yaml
from PIL import Image

from medad.cli.commands import main
from medad.experiments.reproduce.pitfalls import experiments
from medad.experiments.reproduce.pitfalls.equalised import equalised
from medad.experiments.reproduce.pitfalls.experiments import Scale
from medad.experiments.reproduce.pitfalls.images import normal_images
from medad.experiments.reproduce.pitfalls.landscape import landscape
from medad.experiments.reproduce.pitfalls.page import page, pictures
from medad.experiments.reproduce.pitfalls.stored import Grid, read_cells
from medad.synthesis.disks import disk_masks

TINY = Scale(points=5, images=6, size=64)


@pytest.fixture
def call(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(experiments.SCALES, "quick", TINY)

    def call(name, *argv, data=folder):
        status = main(["reproduce", name, "--data", str(data), "--out", str(tmp_path / "out"), "--workers", "1", *argv])
        said = capsys.readouterr()
        return status, said.out, said.err.splitlines()

    return call


def test_the_command_writes_cells_a_page_and_a_figure(call, tmp_path):
    status, text, _ = call("pitfalls_further")
    assert status == 0 and text.strip() == (tmp_path / "out" / "pitfalls.md").read_text(encoding="utf-8").strip()
    assert "## brains, quick" in text and "6 normal images of 64 x 64 pixels, 0 more without" in text
    assert "7 statements hold." in text and "| pixel shuffle |" in text
    assert (tmp_path / "out" / "pitfalls-brains-quick.png").read_bytes().startswith(b"\x89PNG")
    status, text, _ = call("pitfalls1b")
    assert status == 0 and "11 statements hold." in text and "equalisation takes the advantage" in text
    assert pictures(tmp_path / "out").keys() == {"pitfalls-brains-quick.png"}


def test_stored_cells_are_those_of_the_images(call, folder, tmp_path):
    assert call("pitfalls1")[0] == 0
    names = [f"{i:02}.png" for i in range(9, 15)]  # the last 40 %
    assert [entry.id for entry in normal_images(folder)] == names
    images = np.stack([np.asarray(Image.open(folder / name)) / 255 for name in names])
    images[images < 0.1] = 0
    expected = landscape(images, disk_masks(images), TINY.intensities, TINY.sigmas)
    grid = Grid.of(read_cells(tmp_path / "out" / "brains" / "pitfalls" / "pitfalls1-quick.csv"))
    np.testing.assert_allclose(grid.ap, expected.ap, rtol=1e-3)
    np.testing.assert_allclose(grid.spread, expected.spread, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(grid.residual, expected.residual, rtol=1e-3)


def test_what_is_stored_is_not_computed_again(call, tmp_path, monkeypatch):
    over_images, seen = experiments.over_images, []

    def stop_at_the_third(*given):
        seen.append(given[3].keywords["sigma"])
        if len(seen) == 3:
            raise KeyboardInterrupt
        return over_images(*given)

    monkeypatch.setattr(experiments, "over_images", stop_at_the_third)
    assert call("pitfalls2")[0] == 130
    file = tmp_path / "out" / "brains" / "pitfalls" / "pitfalls2-quick.csv"
    assert len(read_cells(file)) == 6 and call("pitfalls2", "--print-only")[0] == 2
    assert call("pitfalls2")[0] == 0
    assert seen == [*TINY.sigmas[:3], *TINY.sigmas[2:]]
    resumed = file.read_bytes()
    assert call("pitfalls2")[0] == 0 and len(seen) == 6
    shutil.rmtree(tmp_path / "out")
    assert call("pitfalls2")[0] == 0 and file.read_bytes() == resumed


def test_only_what_there_is_is_printed_when_nothing_may_be_computed(call, tmp_path):
    status, _, err = call("pitfalls1", "--print-only")
    assert status == 2 and "holds nothing of brains at scale quick; leave out --print-only" in err[-1]
    assert call("pitfalls1")[0] == 0
    status, text, _ = call("pitfalls1", "--print-only", data=tmp_path / "gone" / "brains")
    assert status == 0 and "## brains, quick" in text


def test_cells_of_other_images_are_not_mixed(call, folder, tmp_path):
    assert call("pitfalls1")[0] == 0
    Image.open(folder / "00.png").save(folder / "14.png")
    for name in ("pitfalls1", "pitfalls2"):  # nor beside each other
        status, _, err = call(name)
        assert status == 2 and "pitfalls1-quick.csv: holds cells of other images or settings" in err[-1]


def test_images_without_a_background_are_left_out_and_too_few_are_refused(call, folder, tmp_path):
    bright = Image.fromarray(np.full((64, 64), 128, np.uint8))
    bright.save(folder / "14.png")
    status, text, err = call("pitfalls2")
    assert status == 0 and "1 of 6 normal test images have no background and are left out" in err
    assert "5 normal images of 64 x 64 pixels, 1 more without" in text
    about = yaml.safe_load((tmp_path / "out" / "brains" / "pitfalls" / "pitfalls2-quick.yaml").read_text())
    assert about["images"] == {"used": 5, "without_background": 1, "size": 64}
    for i in range(9, 15):
        bright.save(folder / f"{i:02}.png")
    status, _, err = call("pitfalls1")
    assert status == 2 and "6 of 6 images have no black background of 10% around one thing" in err[-1]


def test_mistakes_are_said_in_one_line(call, folder, tmp_path):
    for file in sorted(folder.iterdir())[:8]:
        file.unlink()
    status, _, err = call("pitfalls1")
    assert status == 2 and err[-1].endswith("3 normal test images; at least 5 are needed")
    status, _, err = call("pitfalls1", data=tmp_path / "nowhere")
    assert status == 2 and "nowhere: no such folder" in err[-1]
    status, _, err = call("pitfalls7")
    assert status == 2 and "pitfalls7: no such experiment" in err[-1] and "pitfalls1b, pitfalls2" in err[-1]


def test_normal_test_images_are_taken_of_a_data_set_and_middle_slices_of_volumes(phantoms, tmp_path):
    entries = normal_images(phantoms)
    assert len(entries) == 8 and all(entry.label == 0 for entry in entries)
    for i in range(5):
        volume = nibabel.Nifti1Image(np.zeros((16, 16, 8), np.uint8), np.diag([1, 1, 2, 1]))
        nibabel.save(volume, tmp_path / f"{i}.nii.gz")
    assert [entry.id for entry in normal_images(tmp_path)] == ["3.nii.gz#5", "4.nii.gz#5"]


def test_places_are_the_same_in_equalised_images(heads):
    images = heads(3, 64)
    np.testing.assert_array_equal(disk_masks(np.stack([equalised(image) for image in images])), disk_masks(images))


def test_a_root_without_studies_has_a_page_without_figures(tmp_path):
    assert "##" not in page(tmp_path) and pictures(tmp_path) == {}
