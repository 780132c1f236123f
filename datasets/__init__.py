"""From bytes on disk to `tf.data`; never imports a model. Submodules load when first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "augment",
        "check",
        "core",
        "digits",
        "fixated_street",
        "fixation_maps",
        "folder",
        "generated_phones",
        "generated_topics",
        "landmark_files",
        "landmark_schemes",
        "phone_price",
        "pipeline",
        "rendered",
        "reuters",
        "saliency",
        "stanford_cars",
        "table_splits",
        "texts",
        "vectors",
        "wnid_pictures",
    ],
)
