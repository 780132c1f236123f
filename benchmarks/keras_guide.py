"""What a user writes after the Keras guide "Transfer learning and fine-tuning", in one file.

Source: https://keras.io/guides/transfer_learning. The head learns on the frozen base, then the
base is unfrozen and learns at a low rate. It knows nothing of this suite, and nothing in it is
slower than the guide has it: pictures are decoded and prefetched in parallel. In one thing it is
better: it keeps BatchNormalization frozen, as the guide means to by `training=False`, which Keras 3
no longer honours in `fit` (github.com/keras-team/keras/issues/20285).

    python benchmarks/keras_guide.py PICTURES --backbone MobileNetV2

PICTURES holds `train`, `validation` and `test` with a folder a class in each.
"""

from __future__ import annotations

import argparse
import inspect
import json
import time
from pathlib import Path

import keras
import tensorflow as tf


def main() -> None:
    """Trains, tests, and writes when each part ended."""
    clock = {"imported": time.time()}
    options = parse()
    keras.utils.set_random_seed(options.seed)
    train = read_pictures(options, "train")
    validation = read_pictures(options, "validation")
    test = read_pictures(options, "test")
    flip = keras.layers.RandomFlip("horizontal")
    flipped = train.map(
        lambda images, labels: (flip(images, training=True), labels),
        num_parallel_calls=tf.data.AUTOTUNE,
    ).prefetch(tf.data.AUTOTUNE)
    base, model = build(options, class_count=len(train.class_names))
    clock["ready"] = time.time()

    base.trainable = False
    compile_at(model, options.head_learning_rate)
    model.fit(flipped, validation_data=validation, epochs=options.head_epochs, verbose=2)
    clock["head"] = time.time()

    unfreeze(base, options.unfreeze_from)
    compile_at(model, options.tail_learning_rate)
    model.fit(flipped, validation_data=validation, epochs=options.tail_epochs, verbose=2)
    clock["tail"] = time.time()

    _, accuracy = model.evaluate(test, verbose=2)
    clock["evaluated"] = time.time()
    print(f"test accuracy {accuracy:.4f}")
    if options.result is not None:
        options.result.write_text(json.dumps({"clock": clock, "accuracy": accuracy}))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fine-tune a Keras network on class folders.")
    parser.add_argument("pictures", type=Path, help="folder with train, validation and test")
    parser.add_argument("--backbone", default="MobileNetV2", help="a name in keras.applications")
    parser.add_argument("--weights", default="imagenet", help="imagenet, or a file of weights")
    parser.add_argument("--image-size", type=int, nargs=2, default=(224, 224))
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--head-epochs", type=int, default=10)
    parser.add_argument("--tail-epochs", type=int, default=10)
    parser.add_argument("--head-learning-rate", type=float, default=1e-3)
    parser.add_argument("--tail-learning-rate", type=float, default=1e-5)
    parser.add_argument("--unfreeze-from", help="first layer to unfreeze; the whole base if none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--result", type=Path, help="JSON file for the accuracy and the times")
    return parser.parse_args()


def read_pictures(options: argparse.Namespace, split: str) -> tf.data.Dataset:
    """Batches of float pictures in [0, 255] with class ids; only training is shuffled."""
    dataset = keras.utils.image_dataset_from_directory(
        options.pictures / split,
        image_size=tuple(options.image_size),
        batch_size=options.batch_size,
        shuffle=split == "train",
        seed=options.seed,
    )
    class_names = dataset.class_names
    dataset = dataset.prefetch(tf.data.AUTOTUNE)
    dataset.class_names = class_names
    return dataset


def build(options: argparse.Namespace, class_count: int) -> tuple[keras.Model, keras.Model]:
    """The pretrained base, and the classifier on it."""
    base = getattr(keras.applications, options.backbone)(
        include_top=False, weights=options.weights, input_shape=(*options.image_size, 3)
    )
    inputs = keras.Input((*options.image_size, 3))
    x = preprocessing_of(options.backbone)(inputs)
    x = base(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    return base, keras.Model(inputs, keras.layers.Dense(class_count)(x))


def preprocessing_of(backbone: str):
    """`preprocess_input` of the module of `keras.applications` that a network comes from."""
    modules = [module for _, module in inspect.getmembers(keras.applications, inspect.ismodule)]
    return next(module for module in modules if hasattr(module, backbone)).preprocess_input


def compile_at(model: keras.Model, learning_rate: float) -> None:
    """Adam at a constant rate, after each change of what trains."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def unfreeze(base: keras.Model, first: str | None) -> None:
    """Lets the base train from the layer `first` on, but for BatchNormalization."""
    base.trainable = True
    begins = 0 if first is None else base.layers.index(base.get_layer(first))
    for number, layer in enumerate(base.layers):
        normalizes = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= begins and not normalizes


if __name__ == "__main__":
    main()
