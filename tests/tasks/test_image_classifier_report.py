"""What the report of an image classifier writes besides its sections."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tasks.common import image_classifier_report


@pytest.mark.parametrize("shape", [(5, 300), (40, 20)], ids=str)
def test_wide_features_keep_their_distances_in_the_projector(shape) -> None:
    features = np.random.default_rng(0).normal(size=shape)
    turned = image_classifier_report._principal_axes(features)
    assert turned.shape == (shape[0], min(shape))
    np.testing.assert_allclose(pdist(turned), pdist(features))
