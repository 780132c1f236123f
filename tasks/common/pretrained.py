"""Which weights a backbone starts from, and whether they can be had."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from tasks.common.errors import UserError

# Where `keras.applications` keeps its weight files; asked only whether it can be reached.
_WEIGHTS_HOST = "storage.googleapis.com"
_SECONDS_TO_ANSWER = 3.0
# What most tasks do without pretrained weights.
_FROM_SCRATCH = (
    "training from scratch. Frozen random weights would teach nothing, so everything trains from "
    "the first step"
)


def choose_weights(
    requested: str,
    backbone_name: str,
    image_size: tuple[int, int],
    instead: str = _FROM_SCRATCH,
) -> str:
    """What `--weights` means on this machine.

    Args:
        requested: `imagenet`, `none`, `auto`, or the path of a weight file.
        backbone_name: the network the weights are for.
        image_size: height and width; some networks have a weight file for each size.
        instead: what the task does without pretrained weights, for the warning.

    Returns:
        `imagenet`, `none` or the path. `auto` is `imagenet` where the file is cached or can be
        downloaded, otherwise `none`, with a warning on standard error.

    Raises:
        UserError: the path is no file, or `imagenet` can neither be found nor downloaded.
    """
    from keras_models.backbones import imagenet_weights_cached, imagenet_weights_exist

    if requested == "none":
        return requested
    if requested not in {"auto", "imagenet"}:
        if not Path(requested).is_file():
            raise UserError(
                "--weights must be `imagenet`, `none`, `auto` or a weight file. "
                f"Received: {requested!r}, which is no file."
            )
        return requested
    exist = imagenet_weights_exist(backbone_name)
    if exist and (imagenet_weights_cached(backbone_name, image_size) or _reachable(_WEIGHTS_HOST)):
        return "imagenet"
    if requested == "auto":
        reason = f"are cached and {_WEIGHTS_HOST} cannot be reached" if exist else "exist"
        print(
            f"warning: no ImageNet weights for {backbone_name} {reason}: {instead}.",
            file=sys.stderr,
        )
        return "none"
    if not exist:
        raise UserError(
            f"There are no ImageNet weights of {backbone_name}: give a file as --weights PATH, or "
            "do without them by --weights none."
        )
    raise UserError(
        f"The ImageNet weights of {backbone_name} are not in Keras's cache and {_WEIGHTS_HOST} "
        "cannot be reached: connect to the internet once, give the file as --weights PATH, or "
        "do without them by --weights none."
    )


def choose_existing_weights(requested: str, backbone_name: str, image_size: tuple[int, int]) -> str:
    """As `choose_weights`, but `auto` is `none` without a warning for a network that has no
    ImageNet weights anywhere: nothing is missing there.
    """
    from keras_models.backbones import imagenet_weights_exist

    if requested == "auto" and not imagenet_weights_exist(backbone_name):
        return "none"
    return choose_weights(requested, backbone_name, image_size)


def _reachable(host: str) -> bool:
    try:
        with socket.create_connection((host, 443), timeout=_SECONDS_TO_ANSWER):
            return True
    except OSError:
        return False
