"""A classifier whose head stands on an early stage of its backbone."""

from __future__ import annotations

import keras

from keras_models.cut_backbone import cut_backbone
from keras_models.heads import classification_head
from keras_models.transfer import backbone_of, class_names, stage_count, stage_outputs


def head_at_stage(model: keras.Model, stage: int) -> keras.Model:
    """The classifier with a new head on the output of one of its stages; the rest is left out.

    Early layers tell edges and colours apart, late ones the classes of the data they were trained
    on (Yosinski et al., "How transferable are features in deep neural networks?", NIPS 2014): for
    other data the best features for a linear head may lie in the middle.

    Args:
        model: of `transfer.build_classifier`; its backbone's layers are shared.
        stage: counted from the input, 1 the shallowest; the last one gives the same network with
            a new head.

    Returns:
        A functional model with the layers of `transfer.build_classifier`.

    Raises:
        ValueError: there is no such stage.
    """
    count = stage_count(model)
    if not 1 <= stage <= count:
        raise ValueError(
            f"`stage` must be from 1 to {count} for {backbone_of(model).name}. Received: {stage=}"
        )
    backbone = backbone_of(model)
    end = stage_outputs(backbone)[stage - 1]
    (name,) = (operation.name for operation in backbone.operations if operation.output is end)
    cut = cut_backbone(backbone, name)
    features = cut(model.get_layer("preprocessing").output)
    dropout = model.get_layer("dropout").rate
    probabilities = classification_head(features, class_names(model), dropout)
    return keras.Model(model.input, probabilities, name=model.name)
