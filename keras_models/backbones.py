"""Every classification network of `keras.applications`, and a small one of ours, in one table.

Tensor contract: a backbone takes (batch, height, width, 3), already preprocessed (see
`keras_models.preprocessing`), and gives its last feature maps (batch, h, w, channels).
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import keras

from keras_models import small_resnet
from keras_models.backbone_weights import load_weights, weights_folder


@dataclasses.dataclass(frozen=True)
class Backbone:
    """What has to be known of a network to fine-tune it or to build a decoder on it.

    Layer names are those that Keras gives in a fresh process; `build_backbone` makes sure of them.

    Attributes:
        name: the name in `keras.applications`, where it is one of them; also the name of the model
            that is built.
        preprocessing: mode of `ImagePreprocessing`; "none" where the network contains its own.
        default_size: height and width that the ImageNet weights were trained on, in pixels.
        minimum_size: smallest height and width that Keras accepts, in pixels.
        stages: the operation that ends each stage, shallow to deep; the last one is the output.
            One tensor alone passes from a stage to the next, so the network may be cut there.
        skip_layers: operations whose outputs feed a decoder, at strides 2, 4, 8, 16 and 32
            (ConvNeXt begins at stride 4; Inception, Xception and NASNet pad less, so that their
            maps are a few pixels smaller than size / stride).
        weights_file: name of the ImageNet file without the top in Keras's cache; `{size}` stands
            for the picture size where there is a file for each; empty where nobody published one.
        weights_sizes: the sizes with a file of their own; others use the file of `default_size`.
        own_constructor: what builds the network where it is none of `keras.applications`.
    """

    name: str
    preprocessing: str
    default_size: int
    minimum_size: int
    stages: tuple[str, ...]
    skip_layers: tuple[str, ...]
    weights_file: str
    weights_sizes: tuple[int, ...] = ()
    own_constructor: Callable[..., keras.Model] | None = None

    @property
    def constructor(self) -> Callable[..., keras.Model]:
        """The function that builds the network, with the arguments of `keras.applications`."""
        return self.own_constructor or getattr(keras.applications, self.name)


_TF_KERNELS = "_weights_tf_dim_ordering_tf_kernels_notop.h5"


def _resnet(depth: int, blocks3: int, blocks4: int) -> Backbone:
    """ResNet v1 (He et al. 2016, table 1); `blocks` are the residual blocks of a stage."""
    ends = ("conv1_relu", "conv2_block3_out", f"conv3_block{blocks3}_out")
    ends += (f"conv4_block{blocks4}_out", "conv5_block3_out")
    return Backbone(f"ResNet{depth}", "caffe", 224, 32, ends, ends, f"resnet{depth}{_TF_KERNELS}")


def _resnet_v2(depth: int, blocks3: int, blocks4: int) -> Backbone:
    """ResNet v2 (He et al. 2016b); Keras strides in the last block of a stage.

    A skip is therefore taken inside that block, before its stride.
    """
    stages = ("conv1_conv", "conv2_block3_out", f"conv3_block{blocks3}_out")
    stages += (f"conv4_block{blocks4}_out", "post_relu")
    skips = ("conv1_conv", "conv2_block3_1_relu", f"conv3_block{blocks3}_1_relu")
    skips += (f"conv4_block{blocks4}_1_relu", "post_relu")
    file = f"resnet{depth}v2{_TF_KERNELS}"
    return Backbone(f"ResNet{depth}V2", "tf", 224, 32, stages, skips, file)


def _vgg(depth: int, convolutions: int) -> Backbone:
    """VGG (Simonyan & Zisserman 2015); `convolutions` in each of the last three blocks."""
    stages = tuple(f"block{block}_pool" for block in range(1, 6))
    skips = ("block2_conv2", *(f"block{block}_conv{convolutions}" for block in (3, 4, 5)))
    skips += ("block5_pool",)
    return Backbone(f"VGG{depth}", "caffe", 224, 32, stages, skips, f"vgg{depth}{_TF_KERNELS}")


def _densenet(depth: int) -> Backbone:
    """DenseNet (Huang et al. 2017); a stage is a dense block and its transition.

    Skips are CONV1, POOL1, POOL2 and POOL3 of Alhashim & Wonka 2018 (arXiv 1812.11941, appendix):
    what leaves a transition has half the channels of what enters it.
    """
    stages = ("conv1_relu", "pool2_pool", "pool3_pool", "pool4_pool", "relu")
    skips = ("conv1_relu", "pool1", "pool2_pool", "pool3_pool", "relu")
    file = f"densenet{depth}{_TF_KERNELS}"
    return Backbone(f"DenseNet{depth}", "torch", 224, 32, stages, skips, file)


def _efficientnet(variant: str, size: int, *ends: str) -> Backbone:
    """EfficientNet (Tan & Le 2019); `ends` are the last layers of blocks 1, 2, 3 and 5."""
    skips = tuple(f"block{block}a_expand_activation" for block in (2, 3, 4, 6))
    return Backbone(
        f"EfficientNet{variant}",
        "none",
        size,
        32,
        (*ends, "top_activation"),
        (*skips, "top_activation"),
        f"efficientnet{variant.lower()}_notop.h5",
    )


def _efficientnet_v2(variant: str, size: int, *ends: str) -> Backbone:
    """EfficientNetV2 (Tan & Le 2021); `ends` are the last layers of blocks 1, 2, 3 and 5.

    Blocks 2 and 3 are fused: their expansion strides already, so the skips are block ends.
    """
    skips = (*ends[:2], "block4a_expand_activation", "block6a_expand_activation")
    return Backbone(
        f"EfficientNetV2{variant}",
        "none",
        size,
        32,
        (*ends, "top_activation"),
        (*skips, "top_activation"),
        f"efficientnetv2-{variant.lower()}_notop.h5",
    )


def _convnext(variant: str, third_stage_end: str) -> Backbone:
    """ConvNeXt (Liu et al. 2022); a stage ends in the addition of its last block."""
    ends = ("add_2", "add_5", third_stage_end, "layer_normalization")
    file = f"convnext_{variant.lower()}_notop.h5"
    return Backbone(f"ConvNeXt{variant}", "none", 224, 32, ends, ends, file)


def _nasnet(variant: str, size: int, cells: int, last: str) -> Backbone:
    """NASNet (Zoph et al. 2018) with `cells` normal cells a stage.

    Each cell reads the two before it, so behind the stem nothing but the end is a single tensor.
    """
    skips = ("stem_bn1", "reduction_concat_stem_1", f"normal_concat_{cells - 1}")
    skips += (f"normal_concat_{2 * cells}", last)
    file = f"nasnet_{variant.lower()}_no_top.h5"
    return Backbone(f"NASNet{variant}", "tf", size, 32, ("stem_bn1", last), skips, file)


def _mobilenet() -> Backbone:
    """MobileNet v1 (Howard et al. 2017)."""
    ends = tuple(f"conv_pw_{block}_relu" for block in (1, 3, 5, 11, 13))
    file = "mobilenet_1_0_{size}_tf_no_top.h5"
    return Backbone("MobileNet", "tf", 224, 32, ends, ends, file, (128, 160, 192, 224))


def _mobilenet_v2() -> Backbone:
    """MobileNet v2 (Sandler et al. 2018); skips are the wide expansions before each stride."""
    stages = ("expanded_conv_project_BN", "block_2_add", "block_5_add", "block_12_add", "out_relu")
    skips = (*(f"block_{block}_expand_relu" for block in (1, 3, 6, 13)), "out_relu")
    file = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{size}_no_top.h5"
    sizes = (96, 128, 160, 192, 224)
    return Backbone("MobileNetV2", "tf", 224, 32, stages, skips, file, sizes)


def _mobilenet_v3(variant: str, stages: tuple[str, ...], skip_layers: tuple[str, ...]) -> Backbone:
    """MobileNet v3 (Howard et al. 2019); skips are the wide expansions before each stride."""
    file = f"weights_mobilenet_v3_{variant.lower()}_224_1.0_float_no_top_v2.h5"
    return Backbone(f"MobileNetV3{variant}", "none", 224, 32, stages, skip_layers, file)


def _inception(name: str, ends: tuple[str, ...], file: str) -> Backbone:
    """Inception v3 (Szegedy et al. 2016) and Inception-ResNet v2 (Szegedy et al. 2017)."""
    stages = ("activation_2", "activation_4", *ends)
    return Backbone(name, "tf", 299, 75, stages, stages, file)


_ALL = (
    _resnet(50, 4, 6),
    _resnet(101, 4, 23),
    _resnet(152, 8, 36),
    _resnet_v2(50, 4, 6),
    _resnet_v2(101, 4, 23),
    _resnet_v2(152, 8, 36),
    _vgg(16, 3),
    _vgg(19, 4),
    _densenet(121),
    _densenet(169),
    _densenet(201),
    _mobilenet(),
    _mobilenet_v2(),
    _mobilenet_v3(
        "Small",
        (
            "activation",
            "expanded_conv_project_bn",
            "expanded_conv_2_add",
            "expanded_conv_7_add",
            "activation_17",
        ),
        ("activation", "re_lu_2", "activation_1", "activation_11", "activation_17"),
    ),
    _mobilenet_v3(
        "Large",
        (
            "expanded_conv_add",
            "expanded_conv_2_add",
            "expanded_conv_5_add",
            "expanded_conv_11_add",
            "activation_19",
        ),
        ("re_lu_1", "re_lu_5", "activation_1", "activation_13", "activation_19"),
    ),
    _efficientnet("B0", 224, "block1a_project_bn", "block2b_add", "block3b_add", "block5c_add"),
    _efficientnet("B1", 240, "block1b_add", "block2c_add", "block3c_add", "block5d_add"),
    _efficientnet("B2", 260, "block1b_add", "block2c_add", "block3c_add", "block5d_add"),
    _efficientnet("B3", 300, "block1b_add", "block2c_add", "block3c_add", "block5e_add"),
    _efficientnet("B4", 380, "block1b_add", "block2d_add", "block3d_add", "block5f_add"),
    _efficientnet("B5", 456, "block1c_add", "block2e_add", "block3e_add", "block5g_add"),
    _efficientnet("B6", 528, "block1c_add", "block2f_add", "block3f_add", "block5h_add"),
    _efficientnet("B7", 600, "block1d_add", "block2g_add", "block3g_add", "block5j_add"),
    _efficientnet_v2(
        "B0", 224, "block1a_project_activation", "block2b_add", "block3b_add", "block5e_add"
    ),
    _efficientnet_v2("B1", 240, "block1b_add", "block2c_add", "block3c_add", "block5f_add"),
    _efficientnet_v2("B2", 260, "block1b_add", "block2c_add", "block3c_add", "block5f_add"),
    _efficientnet_v2("B3", 300, "block1b_add", "block2c_add", "block3c_add", "block5g_add"),
    _efficientnet_v2("S", 384, "block1b_add", "block2d_add", "block3d_add", "block5i_add"),
    _efficientnet_v2("M", 480, "block1c_add", "block2e_add", "block3e_add", "block5n_add"),
    _efficientnet_v2("L", 480, "block1d_add", "block2g_add", "block3g_add", "block5s_add"),
    _inception("InceptionV3", ("mixed2", "mixed7", "mixed10"), f"inception_v3{_TF_KERNELS}"),
    _inception(
        "InceptionResNetV2",
        ("block35_10_ac", "block17_20_ac", "conv_7b_ac"),
        f"inception_resnet_v2{_TF_KERNELS}",
    ),
    Backbone(
        "Xception",
        "tf",
        299,
        71,
        ("block1_conv2_act", "add", "add_1", "add_10", "block14_sepconv2_act"),
        (
            "block1_conv2_act",
            "block3_sepconv2_bn",
            "block4_sepconv2_bn",
            "block13_sepconv2_bn",
            "block14_sepconv2_act",
        ),
        f"xception{_TF_KERNELS}",
    ),
    _nasnet("Mobile", 224, 4, "activation_187"),
    _nasnet("Large", 331, 6, "activation_259"),
    _convnext("Tiny", "add_14"),
    _convnext("Small", "add_32"),
    _convnext("Base", "add_32"),
    _convnext("Large", "add_32"),
    _convnext("XLarge", "add_32"),
)

_SMALL_RESNET = Backbone(
    "SmallResNet",
    "tf",
    64,
    32,
    small_resnet.STAGES,
    small_resnet.STAGES,
    weights_file="",
    own_constructor=small_resnet.build,
)

BACKBONES: dict[str, Backbone] = {backbone.name: backbone for backbone in (*_ALL, _SMALL_RESNET)}


def names() -> tuple[str, ...]:
    """The networks of `keras.applications` that `lookup` knows, family by family."""
    return tuple(backbone.name for backbone in _ALL)


def lookup(name: str) -> Backbone:
    """The table's entry for `name`, in any case.

    Raises:
        ValueError: there is no such network; the message names the closest ones.
    """
    by_lower_case = {known.lower(): known for known in BACKBONES}
    lower_case = str(name).lower()
    if lower_case in by_lower_case:
        return BACKBONES[by_lower_case[lower_case]]
    close = difflib.get_close_matches(lower_case, by_lower_case, n=3, cutoff=0.4)
    hint = [by_lower_case[match] for match in close] or list(BACKBONES)
    raise ValueError(
        "`name` must be a classification network of keras.applications or SmallResNet; "
        f"close to it: {', '.join(hint)}. Received: name={name!r}"
    )


def image_shape(image_size: int | tuple[int, int]) -> tuple[int, int, int]:
    """(height, width, 3) of a size given as one side or as (height, width)."""
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    return int(height), int(width), 3


def build_backbone(
    name: str, image_size: int | tuple[int, int], weights: str | Path | None = None
) -> keras.Model:
    """The network without its classifier, called by its canonical name, at its usual width.

    Args:
        name: see `names`.
        image_size: side, or (height, width), in pixels.
        weights: None (random), "imagenet" (downloaded if it is not in Keras's cache) or a file of
            weights: `.h5`, `.weights.h5` or `.keras`.

    Returns:
        A functional model (height, width, 3) -> (h, w, channels).

    Raises:
        ValueError: the name or the size is not possible, or the file does not fit.
        ConnectionError: the ImageNet weights could not be downloaded.
    """
    entry = lookup(name)
    shape = image_shape(image_size)
    if min(shape[:2]) < entry.minimum_size:
        raise ValueError(
            f"`image_size` must be at least {entry.minimum_size} for {entry.name}. "
            f"Received: image_size={image_size}"
        )
    imagenet = weights == "imagenet"
    network = _construct(entry, shape, "imagenet" if imagenet else None)
    network.name = entry.name
    _renumber_automatic_names(network)
    if weights is not None and not imagenet:
        load_weights(network, Path(weights))
    return network


def _construct(entry: Backbone, shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    """Call the constructor; a failed download becomes a ConnectionError of one sentence."""
    try:
        return entry.constructor(include_top=False, weights=weights, input_shape=shape)
    except Exception as error:
        # Keras raises a plain Exception here, known by its message alone.
        if "URL fetch failure" not in str(error):
            raise
        raise ConnectionError(
            f"The ImageNet weights of {entry.name} are not in {weights_folder()} and could not be "
            f"downloaded; pass weights=None or a file. Received: {error}"
        ) from error


def _renumber_automatic_names(network: keras.Model) -> None:
    """Rename `add_13` to the `add_1` it is in a fresh process, and so on, in place.

    Keras numbers the layers that it names itself over the whole process, so the names in the
    table would be found in the first network of a process alone.
    """
    numbered = defaultdict(list)
    for operation in network.operations:
        base, number = re.fullmatch(r"(.*?)(?:_(\d+))?", operation.name).groups()
        if base.replace("_", "") == type(operation).__name__.lower():
            numbered[base].append((int(number or 0), operation))
    for base, operations in numbered.items():
        for rank, (_, operation) in enumerate(sorted(operations, key=lambda pair: pair[0])):
            operation.name = f"{base}_{rank}" if rank else base


def weights_file(name: str, image_size: int | tuple[int, int] | None = None) -> Path:
    """Where the ImageNet weights without the top are, or would be, in Keras's cache.

    Args:
        name: see `names`.
        image_size: side, or (height, width), in pixels; None for the network's own size. MobileNet
            v1 and v2 have a file for each of several sizes.
    """
    entry = lookup(name)
    height, width, _ = image_shape(image_size or entry.default_size)
    own = height == width and height in entry.weights_sizes
    return weights_folder() / entry.weights_file.format(size=height if own else entry.default_size)


def imagenet_weights_cached(name: str, image_size: int | tuple[int, int] | None = None) -> bool:
    """Whether `build_backbone(name, image_size, "imagenet")` needs no download."""
    return imagenet_weights_exist(name) and weights_file(name, image_size).is_file()


def imagenet_weights_exist(name: str) -> bool:
    """Whether ImageNet weights of the network were published, so that they could be downloaded."""
    return bool(lookup(name).weights_file)
