"""What every task shares, from the command line to the report. Submodules load when first used,
so that `--help` answers without importing TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "backbones_report",
        "cached_stage",
        "car_pictures",
        "cell_report",
        "image_classifier",
        "image_classifier_report",
        "image_classifier_verbs",
        "loss_comparison_report",
        "network_measurement",
        "pretrained",
        "study_cell",
        "text_baselines",
        "text_verbs",
        "vector_classifier",
        "vector_classifier_verbs",
    ],
)
