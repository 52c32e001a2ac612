# %% [markdown]
# # From files to figures and a saved run
#
# Each `# %%` begins a cell: VS Code, PyCharm and Spyder run this file cell by cell, `jupytext --to ipynb` makes a
# notebook of it, and `python examples/notebook.py` runs it whole. It looks for a data set in the folder that the
# environment variable `DATA` names, and generates one otherwise.

# %%
import os
import tempfile
from pathlib import Path

import numpy as np
from medad.data.phantom_files import write_phantoms

import medad
from medad.data.phantom import phantom_benchmark

PRESET = os.environ.get("PRESET", "quick")  # "standard" for figures that count
work = Path(tempfile.mkdtemp())
data = os.environ.get("DATA", str(work / "phantoms"))
if "DATA" not in os.environ:
    write_phantoms(work / "phantoms", phantom_benchmark(normal=200, unlabeled=200, test=(100, 100), level="plain"))

# %% Images: arrays, with what is known about each
normal, unlabeled, test = medad.read_data(data, size=64)
print(f"{len(normal)} normal, {len(unlabeled or ())} unlabeled, {len(test)} test images")

# %% Training; labels are never looked at, and a training that was stopped goes on with resume=True
detector = medad.fit(normal, unlabeled, method="aeu", preset=PRESET, seed=0, folder=work / "run")

# %% Figures, each with its 95 % interval, and below them those of what sees no pathology: a first look with few images
# may do no better than a thumbnail, and then it has shown nothing yet
scores = medad.score(detector, test)
figures = medad.evaluate(scores, medad.controls(normal, unlabeled, test))


def show(rows: dict) -> None:
    """Print the AUROC of each score in per cent."""
    for name, row in rows.items():
        low, high = row["auroc_ci"]
        print(f"{name:20} {100 * row['auroc']:5.1f}  ({100 * low:.1f} to {100 * high:.1f})")


show(figures["image"])
print("controls:")
show(figures["controls"])

# %% Where: anomaly maps, against masks where there are some
maps = np.concatenate([prediction.maps["anomaly_map"] for prediction in detector.predict(test)])
if test.masks is not None:
    pixel = medad.evaluate(scores, masks=test.masks, maps={"anomaly_map": maps})["pixel"]["anomaly_map"]
    print(f"pixel AP {100 * pixel['ap']:.1f}, AU-PRO {100 * pixel['au_pro']:.1f}")

# %% The worst errors: abnormal images that look normal to the detector
missed = np.flatnonzero(test.labels == 1)
for i in missed[np.argsort(scores.columns["pred_score"][missed])][:5]:
    print(f"{scores.columns['pred_score'][i]:10.4f}  {test.ids[i]}")

# %% The run lies in a folder: load it here, or let the commands `medad evaluate` and `medad predict` use it
again = medad.score(medad.load(work / "run"), test)
print("loaded: equal scores", np.allclose(again.columns["pred_score"], scores.columns["pred_score"], rtol=1e-5))
