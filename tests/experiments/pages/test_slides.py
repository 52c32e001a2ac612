"""The page of MVTec's table: which map of a method it shows."""

from medad.experiments.pages.slides import of_anomaly_map


def test_the_map_that_the_score_rests_on_is_shown():
    parts = {"error": {"au_pro": 0.4}, "disagreement": {"au_pro": 0.5}, "anomaly_map": {"au_pro": 0.6}}
    assert of_anomaly_map(parts)["au_pro"] == 0.6
    assert of_anomaly_map({"a_rec": {"au_pro": 0.7}, "combi": {"au_pro": 0.8}})["au_pro"] == 0.7
    assert of_anomaly_map({}) == {}
