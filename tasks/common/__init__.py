"""What every task shares, from the command line to the report. Submodules load when first used,
so that `--help` answers without importing TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["cached_stage", "image_classifier", "image_classifier_report", "pretrained"],
)
