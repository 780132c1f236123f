"""Networks, losses and metrics built on `keras.ops`: no files of data, no command line.

Tensor contract shared by the image models: input (batch, height, width, 3), uint8, RGB, range
[0, 255]; the preprocessing a backbone expects is a layer inside the model.

`import keras_models` does not import Keras; submodules load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "alexnet",
        "any_size",
        "backbone_weights",
        "backbones",
        "cut_backbone",
        "cut_encoder",
        "cyclegan",
        "dense_depth",
        "depth_scale",
        "early_head",
        "fast_scnn",
        "feature_inversion",
        "folding",
        "heads",
        "imagenet_classifiers",
        "landmark_regressor",
        "layer_stack",
        "lenet",
        "losses",
        "map_output",
        "metrics",
        "mlp",
        "preprocessing",
        "registration",
        "saliency_encoder",
        "saliency_layers",
        "salnet",
        "schedules",
        "standardization",
        "svm_classifier",
        "text_classifier",
        "transfer",
    ],
)
