"""Mobile phones in four price ranges: a table of 20 columns of numbers and the class.

The layout is that of `train.csv` of "Mobile Price Classification" (Kaggle, A. Sharma,
kaggle.com/datasets/iabhishekofficial/mobile-price-classification, 2,000 rows, four classes of
equal size). The `test.csv` beside it has no classes; the test split comes from `train.csv`.

Tensor contract: `features` float32 (20,), raw, in the order and the units of `COLUMNS`.
"""

from __future__ import annotations

from pathlib import Path

from datasets import number_table
from datasets.core import DataError, Splits
from datasets.number_table import Layout
from datasets.table_splits import Parting, TableInfo, part

FILE = "train.csv"
LABEL_COLUMN = "price_range"
CLASS_NAMES = ("low", "medium", "high", "very high")
COLUMNS = (
    "battery_power",  # mAh
    "blue",  # Bluetooth, 0 or 1
    "clock_speed",  # GHz
    "dual_sim",  # 0 or 1
    "fc",  # front camera, megapixels
    "four_g",  # 0 or 1
    "int_memory",  # storage, GB
    "m_dep",  # depth, cm
    "mobile_wt",  # weight, g
    "n_cores",  # cores of the processor
    "pc",  # main camera, megapixels
    "px_height",  # of the screen, pixels
    "px_width",  # of the screen, pixels
    "ram",  # memory, MB
    "sc_h",  # height of the screen, cm
    "sc_w",  # width of the screen, cm
    "talk_time",  # hours
    "three_g",  # 0 or 1
    "touch_screen",  # 0 or 1
    "wifi",  # 0 or 1
)
# No phone has a number beyond it, and one such number would move the mean of its column.
LARGEST = 100_000.0


def load(place: Path, parting: Parting) -> Splits:
    """The phones of a CSV file in three splits.

    Args:
        place: the file, or the folder that holds `train.csv`.
        parting: which rows go where.

    Raises:
        DataError: there is no such file, or it is not as described above; the message names the
            row and the column.
    """
    place = place.expanduser()
    path = place / FILE if place.is_dir() else place
    if not path.is_file():
        raise DataError(
            f"{place} must be a CSV file or a folder with {FILE}, received neither: name the "
            "file of the phones with --data-dir."
        )
    layout = Layout(COLUMNS, LABEL_COLUMN, CLASS_NAMES, largest=LARGEST)
    source = number_table.read(path, layout)
    info = TableInfo(
        name="phone_price",
        class_names=CLASS_NAMES,
        description=f"{len(source)} mobile phones of {path.name} in four price ranges.",
        origin=str(path),
        licence="not stated by its author; see the data set's page",
        column_names=COLUMNS,
        label_column=LABEL_COLUMN,
    )
    return part(source, info, parting, str(path))
