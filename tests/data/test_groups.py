"""What is known of an image beside its label: from manifests, from DICOM files, and on its way to a table."""

import numpy as np
import pytest
from dicom_files import dataset, write
from PIL import Image

from medad.data.finding import find_images
from medad.data.groups import columns_of, decade, groups_of
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.repartition import Repartition

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("63", "60-69"),
        ("063Y", "60-69"),
        (" 70.0 ", "70-79"),
        ("011M", "0-9"),
        ("003W", "0-9"),
        ("97", "90 or older"),
        ("90 or older", "90 or older"),
        ("old", "old"),
        ("60-69", "60-69"),
        ("80+", "80+"),
        ("1941-07-03", ""),
        ("19410703", ""),
        ("03.07.1941", ""),
        ("", ""),
    ],
)
def test_ages_are_decades(age, band):
    assert groups_of({"age": age}) == ({"age": band} if band else {})
    assert decade(age.strip()) == band


def test_what_nobody_knows_is_not_there():
    assert columns_of([{}, {}]) is None
    assert columns_of([{"sex": "F"}, {"site": "B"}]) == {"sex": ("F", ""), "site": ("", "B")}


def test_manifests_tell_groups_and_get_them_back(tmp_path):
    for name in "abc":
        Image.fromarray(np.full((8, 8), ord(name), np.uint8)).save(tmp_path / f"{name}.png")
    rows = [
        "path,split,label,sex,age,site,shoe size",
        "a.png,normal,0,F,63,,40",
        "b.png,test,0,M,,east,",
        "c.png,test,1",
    ]
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    who = Repartition.read(tmp_path)
    assert [dict(entry.groups) for entry in who.test] == [{"sex": "M", "site": "east"}, {}]
    images = load_images(who.test, Preprocessing(8)).images
    assert images.groups == {"sex": ("M", ""), "site": ("east", "")}
    assert images.subset([1, 0]).groups["sex"] == ("", "M") and images.unlabelled().groups is None
    who.write(tmp_path / "again.csv")
    assert Repartition.read(tmp_path, "again.csv") == who
    assert "shoe" not in (tmp_path / "again.csv").read_text()
    plain = tmp_path / "plain.csv"
    plain.write_text(
        "\n".join(row.split(",sex")[0] for row in rows[:1]) + "\na.png,normal,0\nb.png,test,0\nc.png,test,1\n"
    )
    assert Repartition.read(tmp_path, plain.name).fingerprint != who.fingerprint


def test_dicom_files_tell_groups_also_from_the_cache(tmp_path):
    known = {"PatientSex": "F", "PatientAge": "063Y", "Manufacturer": "ACME", "ViewPosition": "PA"}
    write(tmp_path / "a.dcm", dataset(RAMP, 12, **known))
    write(tmp_path / "b.dcm", dataset(RAMP, 12))
    expected = {"sex": ("F", ""), "age": ("60-69", ""), "manufacturer": ("ACME", ""), "view": ("PA", "")}
    for cache in (False, True, True):
        loaded = load_images(find_images([tmp_path]).entries, Preprocessing(16), cache=cache)
        assert loaded.images.groups == expected
