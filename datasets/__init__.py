"""From bytes on disk to `tf.data`; never imports a model. Submodules load when first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "augment",
        "camvid",
        "check",
        "cityscapes",
        "class_masks",
        "core",
        "depth_range",
        "digits",
        "fixated_street",
        "fixation_maps",
        "folder",
        "generated_phones",
        "generated_topics",
        "landmark_files",
        "landmark_schemes",
        "nyu_depth",
        "phone_price",
        "pipeline",
        "plain_pictures",
        "rendered",
        "reuters",
        "saliency",
        "stanford_cars",
        "street_masks",
        "table_splits",
        "texts",
        "unpaired_batches",
        "vectors",
        "wnid_pictures",
    ],
)
