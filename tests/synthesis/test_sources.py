"""Which image is drawn as another one's source."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from medad.synthesis.sources import other_indices


@given(seed=st.integers(0, 10**6), count=st.integers(2, 50))
def test_the_other_image_is_another_one(seed, count):
    torch.manual_seed(seed)
    index = torch.arange(count)
    other = other_indices(index, count)
    assert (other != index).all()
    assert ((other >= 0) & (other < count)).all()
