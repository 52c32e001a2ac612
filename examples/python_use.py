"""Train on generated images, score others, save the detector and load it again.

python examples/python_use.py
"""

import argparse
import tempfile

import numpy as np

import medad
from medad.data.phantom import phantom_benchmark


def main(preset: str, images: int) -> None:
    """Train with `preset` on so many normal and unlabeled images."""
    # Generated heads, some with lesions. Labels are known, and no detector sees them.
    data = phantom_benchmark(normal=images, unlabeled=images, test=(8, 8), level="plain")

    detector = medad.fit(data.normal, data.unlabeled, method="aeu", preset=preset)

    # All scores of all images at once ...
    scores = medad.score(detector, data.test)
    for name, score in zip(scores.image_path, scores.columns["pred_score"], strict=True):
        print(f"{score:10.4f}  {name}")

    # ... or batch by batch, with an anomaly map for each image: higher is more abnormal.
    for prediction in detector.predict(data.test):
        print(prediction.ids[0], prediction.maps["anomaly_map"].shape)

    with tempfile.TemporaryDirectory() as folder:
        detector.save(folder)
        again = medad.score(medad.load(folder), data.test)
    print("loaded: equal scores", np.allclose(again.columns["pred_score"], scores.columns["pred_score"], rtol=1e-5))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--images", type=int, default=200)
    main(**vars(parser.parse_args()))
