"""What a user of PyTorch writes: a plain training loop and a DataLoader, in one file.

A network of `transformers` is fine-tuned as in the guide that `keras_guide.py` follows: the head
on the frozen network, then the last part of it at a low rate. It knows nothing of this suite.

    python benchmarks/torch_loop.py PICTURES --model FOLDER

PICTURES holds `train`, `validation` and `test` with a folder a class in each; FOLDER is a saved
model of `transformers` with its preprocessor_config.json.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import AutoModel


def main() -> None:
    """Trains, tests, and writes when each part ended."""
    clock = {"imported": time.time()}
    options = parse()
    torch.manual_seed(options.seed)
    torch.set_num_threads(os.cpu_count())
    loaders = {split: load(options, split) for split in ("train", "validation", "test")}
    class_count = len(loaders["train"].dataset.class_names)
    model = Classifier(options.model, options.image_size, class_count)
    # What PyTorch's performance tuning guide advises for convolutions, also on a CPU.
    model.to(memory_format=torch.channels_last)
    clock["ready"] = time.time()

    model.unfreeze(())
    fit(model, loaders, options.head_epochs, options.head_learning_rate)
    clock["head"] = time.time()

    model.unfreeze(options.unfreeze)
    fit(model, loaders, options.tail_epochs, options.tail_learning_rate)
    clock["tail"] = time.time()

    accuracy = evaluate(model, loaders["test"])
    clock["evaluated"] = time.time()
    print(f"test accuracy {accuracy:.4f}")
    if options.result is not None:
        options.result.write_text(json.dumps({"clock": clock, "accuracy": accuracy}))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fine-tune a PyTorch network on class folders.")
    parser.add_argument("pictures", type=Path, help="folder with train, validation and test")
    parser.add_argument("--model", type=Path, required=True, help="folder of a saved model")
    parser.add_argument("--image-size", type=int, nargs=2, default=(224, 224))
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2, help="processes that read pictures")
    parser.add_argument("--head-epochs", type=int, default=10)
    parser.add_argument("--tail-epochs", type=int, default=10)
    parser.add_argument("--head-learning-rate", type=float, default=1e-3)
    parser.add_argument("--tail-learning-rate", type=float, default=1e-5)
    parser.add_argument("--unfreeze", nargs="+", default=[""], help="modules; all if none is given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--result", type=Path, help="JSON file for the accuracy and the times")
    return parser.parse_args()


class Pictures(Dataset):
    """Normalised pictures, float32 (3, height, width), with class ids."""

    def __init__(self, folder: Path, image_size: tuple[int, int], model: Path, flip: bool):
        """Lists the files; nothing is opened yet."""
        self.class_names = sorted(path.name for path in folder.iterdir() if path.is_dir())
        self.files = [
            (path, label)
            for label, name in enumerate(self.class_names)
            for path in sorted((folder / name).iterdir())
        ]
        self.height, self.width = image_size
        self.flip = flip
        numbers = json.loads((model / "preprocessor_config.json").read_text())
        self.mean = np.array(numbers["image_mean"], np.float32)
        self.deviation = np.array(numbers["image_std"], np.float32)

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """One picture, flipped half of the time where wanted."""
        path, label = self.files[index]
        with Image.open(path) as image:
            image = image.convert("RGB").resize(
                (self.width, self.height), Image.Resampling.BILINEAR
            )
        pixels = (np.asarray(image, np.float32) / 255 - self.mean) / self.deviation
        if self.flip and torch.rand(()) < 0.5:
            pixels = pixels[:, ::-1]
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy()), label


def load(options: argparse.Namespace, split: str) -> DataLoader:
    """Batches read by processes of their own, which stay for all epochs."""
    train = split == "train"
    pictures = Pictures(
        options.pictures / split, tuple(options.image_size), options.model, flip=train
    )
    return DataLoader(
        pictures,
        batch_size=options.batch_size,
        shuffle=train,
        num_workers=options.workers,
        persistent_workers=train and options.workers > 0,
    )


class Classifier(nn.Module):
    """A pretrained network, pooled, under dropout and a linear head."""

    def __init__(self, folder: Path, image_size: tuple[int, int], class_count: int):
        """Loads the network; the head starts at random."""
        super().__init__()
        self.base = AutoModel.from_pretrained(folder)
        with torch.no_grad():
            channels = self.base(torch.zeros(1, 3, *image_size)).last_hidden_state.shape[1]
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(channels, class_count))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits (batch, classes)."""
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return self.head(self.base(pixels).last_hidden_state.mean((2, 3)))

    def train(self, mode: bool = True) -> Classifier:
        """Training mode for the head alone: the normalisation keeps its statistics."""
        super().train(mode)
        self.base.eval()
        return self

    def unfreeze(self, modules: list[str] | tuple[str, ...]) -> None:
        """Lets the base train in these modules and nowhere else, but for the normalisation."""
        self.base.requires_grad_(False)
        for name, module in self.base.named_modules():
            inside = any(part in ("", name) or name.startswith(f"{part}.") for part in modules)
            if inside and isinstance(module, nn.Conv2d):
                module.requires_grad_(True)


def fit(model: Classifier, loaders: dict[str, DataLoader], epochs: int, rate: float) -> None:
    """Adam at a constant rate, with a look at validation after each epoch."""
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    # As Keras has it, so that both take the same steps.
    optimizer = torch.optim.Adam(learning, lr=rate, eps=1e-7)
    for epoch in range(epochs):
        model.train()
        for pixels, labels in loaders["train"]:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(pixels), labels)
            loss.backward()
            optimizer.step()
        accuracy = evaluate(model, loaders["validation"])
        print(f"epoch {epoch + 1} of {epochs}: validation accuracy {accuracy:.4f}", flush=True)


@torch.no_grad()
def evaluate(model: Classifier, loader: DataLoader) -> float:
    """Share of the pictures whose class is found."""
    model.eval()
    right = [(model(pixels).argmax(1) == labels) for pixels, labels in loader]
    return torch.cat(right).float().mean().item()


if __name__ == "__main__":
    main()
