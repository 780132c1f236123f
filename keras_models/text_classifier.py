"""A classifier of texts as bags of words: counts -> weights of the words -> dense layers -> scores.

Tensor contract: input `words`, float32 (batch, columns), how often each column's word occurs in the
text, 0 or more; output float32 (batch, classes). The vocabulary and the weights of the words are
kept in the model, so that a saved one takes plain counts and can name its columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_models.heads import ClassProbabilities

WEIGHTINGS = ("binary", "tf_idf", "log_tf_idf")
ACTIVATIONS = ("softmax", "sigmoid", "linear", "margin")


@keras.saving.register_keras_serializable(package="keras_models")
class WordWeights(keras.layers.Layer):
    """Counts of words to what a network learns from; carries the vocabulary.

    - `binary`: 1 where a word occurs, else 0 ("multi-hot").
    - `tf_idf`: count * idf, each text scaled to the L2 norm 1; rare words weigh more.
    - `log_tf_idf`: (1 + ln(count)) * idf where the word occurs, scaled alike ("sublinear tf").

    idf = ln((1 + texts) / (1 + texts with the word)) + 1, over the training texts: as in
    `sklearn.feature_extraction.text.TfidfTransformer` with its defaults (Spärck Jones, "A
    statistical interpretation of term specificity and its application in retrieval", 1972). A text
    without words stays 0.

    Args:
        vocabulary: one name per column.
        weighting: one of `WEIGHTINGS`.
        document_frequencies: training texts in which each column's word occurs.
        texts: number of training texts.

    Raises:
        ValueError: an unknown weighting, or not one frequency from 0 to `texts` per column.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        weighting: str,
        document_frequencies: Sequence[int],
        texts: int,
        **kwargs,
    ):
        """Check and keep the arguments."""
        super().__init__(**kwargs)
        if weighting not in WEIGHTINGS:
            raise ValueError(f"`weighting` must be one of {WEIGHTINGS}. Received: {weighting=}")
        frequencies = np.asarray(document_frequencies)
        if frequencies.shape != (len(vocabulary),):
            raise ValueError(
                "`document_frequencies` must have one number per name in `vocabulary`. "
                f"Received: {len(vocabulary)} names, shape {frequencies.shape}"
            )
        if len(frequencies) == 0 or frequencies.min() < 0 or frequencies.max() > texts:
            raise ValueError(
                f"`document_frequencies` must be from 0 to `texts`. Received: {texts=}"
            )
        self.vocabulary = tuple(vocabulary)
        self.weighting = weighting
        self.document_frequencies = tuple(int(number) for number in frequencies)
        self.texts = int(texts)

    @property
    def inverse_document_frequencies(self) -> np.ndarray:
        """The factor of each column, float64 (columns,), at least 1."""
        return np.log((1 + self.texts) / (1 + np.array(self.document_frequencies))) + 1

    def build(self, input_shape):
        """Check that there is one name per column."""
        if input_shape[-1] != len(self.vocabulary):
            raise ValueError(
                "`vocabulary` must have one name per column. "
                f"Received: {len(self.vocabulary)} names, input_shape={tuple(input_shape)}"
            )

    def call(self, counts):
        """Weights, the shape of `counts`."""
        if self.weighting == "binary":
            return ops.cast(ops.greater(counts, 0), self.compute_dtype)
        if self.weighting == "log_tf_idf":
            # At least 1 inside the logarithm: `where` alone would let a NaN through.
            counts = ops.where(counts > 0, 1 + ops.log(ops.maximum(counts, 1)), 0.0)
        idf = ops.convert_to_tensor(self.inverse_document_frequencies, self.compute_dtype)
        weights = ops.cast(counts, self.compute_dtype) * idf
        squares = ops.sum(ops.square(weights), axis=-1, keepdims=True)
        # A text with one word has at least 1 here: the bound only keeps 0 / 0 away.
        return weights / ops.sqrt(ops.maximum(squares, 1e-12))

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "vocabulary": list(self.vocabulary),
            "weighting": self.weighting,
            "document_frequencies": list(self.document_frequencies),
            "texts": self.texts,
        }


@keras.saving.register_keras_serializable(package="keras_models")
class ClassScores(ClassProbabilities):
    """Logits to scores of the classes by softmax, by a sigmoid each, or unchanged; in float32.

    `linear` and `margin` leave the logits as they are. They differ in what was learned: 1 for the
    right class and 0 for the others, or 1 and -1.

    Args:
        class_names: one name per logit, in order of the class ids.
        activation: one of `ACTIVATIONS`.

    Raises:
        ValueError: an unknown activation, or as `ClassProbabilities`.
    """

    def __init__(self, class_names: Sequence[str], activation: str = "softmax", **kwargs):
        """Check and keep the arguments."""
        super().__init__(class_names, **kwargs)
        if activation not in ACTIVATIONS:
            raise ValueError(f"`activation` must be one of {ACTIVATIONS}. Received: {activation=}")
        self.activation = activation

    def call(self, logits):
        """Scores, same shape as `logits`; they sum to 1 for a softmax alone."""
        # Keras's own functions: its cross-entropies then compute from the logits, without the
        # clipping of probabilities that would stop the gradient at the extremes.
        name = "linear" if self.activation == "margin" else self.activation
        return keras.activations.get(name)(logits)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "activation": self.activation}


def build_text_classifier(
    weights: WordWeights,
    class_names: Sequence[str],
    hidden: Sequence[int] = (512,),
    dropout: float = 0.5,
    activation: str = "softmax",
    input_scale: float = 1.0,
    l2: float = 0.0,
) -> keras.Model:
    """Word weights -> (dense, ReLU, dropout) for each hidden layer -> dense `logits` -> scores.

    Source: the network with 512 units and dropout 0.5 is that of the example `reuters_mlp` of
    early Keras versions (F. Chollet).

    Args:
        weights: the layer that turns counts into weights.
        class_names: one name per class id.
        hidden: units of the hidden layers, none for a linear classifier.
        dropout: share of a hidden layer's outputs dropped while training, in [0, 1).
        activation: one of `ACTIVATIONS`.
        input_scale: factor of the word weights. Rows of norm 1 over thousands of columns have far
            smaller entries than the unit variance that initial weights are made for.
        l2: the loss grows by this times the sum of the squared weights, biases left out.

    Raises:
        ValueError: a layer without units, or a dropout outside [0, 1).
    """
    if any(units < 1 for units in hidden):
        raise ValueError(f"`hidden` must hold positive numbers. Received: {hidden=}")
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: {dropout=}")
    words = keras.Input((len(weights.vocabulary),), dtype="float32", name="words")
    x = weights(words)
    if input_scale != 1.0:
        x = keras.layers.Rescaling(input_scale, name="input_scale")(x)
    for number, units in enumerate(hidden, start=1):
        x = keras.layers.Dense(
            units, activation="relu", kernel_regularizer=_penalty(l2), name=f"hidden_{number}"
        )(x)
        x = keras.layers.Dropout(dropout, name=f"dropout_{number}")(x)
    x = keras.layers.Dense(len(class_names), kernel_regularizer=_penalty(l2), name="logits")(x)
    scores = ClassScores(class_names, activation, name="scores")(x)
    return keras.Model(words, scores, name="text_classifier")


def _penalty(l2: float) -> keras.regularizers.Regularizer | None:
    return keras.regularizers.L2(l2) if l2 else None


def target_scale(model: keras.Model, scores: np.ndarray) -> np.ndarray:
    """Scores of a text classifier on the scale on which 1 is a class and 0 is none.

    A margin s becomes (1 + s) / 2: the share of the class where the squared hinge is least (Zhang,
    "Statistical behavior and consistency of classification methods based on convex risk
    minimization", Annals of Statistics 32, 2004, section 3). All others are on it already.
    """
    margins = any(
        isinstance(layer, ClassScores) and layer.activation == "margin" for layer in model.layers
    )
    return (1 + scores) / 2 if margins else scores


def word_weights(model: keras.Model) -> WordWeights:
    """The layer of a text classifier, also of a reloaded one, that knows the vocabulary.

    Raises:
        ValueError: the model has no such layer.
    """
    for layer in model.layers:
        if isinstance(layer, WordWeights):
            return layer
    raise ValueError(f"`model` must have a WordWeights layer. Received: model={model.name!r}")
