"""What every task shares, from the command line to the report. Submodules load when first used,
so that `--help` answers without importing TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "backbones",
        "cached_stage",
        "car_pictures",
        "cell_report",
        "column_importance",
        "cyclegan",
        "dense",
        "depth",
        "digits_report",
        "image_classifier",
        "image_classifier_report",
        "image_classifier_verbs",
        "initialization",
        "inversion",
        "landmarks",
        "linear_head",
        "loss_comparison",
        "optimizers",
        "phone_price",
        "pretrained",
        "saliency",
        "segmentation",
        "sound_pictures",
        "staged_recipe",
        "study_cell",
        "svm",
        "text_baselines",
        "text_training",
        "text_verbs",
        "transfer_study",
        "vector_classifier",
        "vector_classifier_verbs",
    ],
)
