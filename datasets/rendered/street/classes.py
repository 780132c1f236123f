"""What stands in the street: the classes of the mask, and the classes of cars.

The first eleven are the classes that papers on CamVid report, in their usual order, so a mask of
a drawn street and one of CamVid mean the same. `Void` is everything else: bins and boxes. As in
CamVid's grouping, lane markings are road, buses and trucks are cars, grass and hedges are trees,
traffic lights are sign symbols, and a bicycle belongs to its rider.
"""

from __future__ import annotations

from datasets.rendered.body_styles import BODY_STYLES

CLASS_NAMES = (
    "Sky",
    "Building",
    "Pole",
    "Road",
    "Pavement",
    "Tree",
    "SignSymbol",
    "Fence",
    "Car",
    "Pedestrian",
    "Bicyclist",
    "Void",
)
"""One name per class id of the mask; the last one, `Void`, counts in no loss and no metric."""

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST, VOID = range(
    len(CLASS_NAMES)
)

INSTANCE_CLASSES = (SIGN, CAR, PEDESTRIAN, BICYCLIST)
"""The classes whose members are counted one by one and have boxes."""

CAR_CLASS_NAMES = tuple(body.name for body in BODY_STYLES)
"""The car classes: the body styles of `datasets.rendered.cars`."""
NO_CAR_CLASS = -1

CLASS_COLOURS = (
    (128, 160, 220),
    (150, 80, 70),
    (210, 200, 120),
    (100, 70, 120),
    (220, 150, 190),
    (80, 140, 50),
    (240, 200, 30),
    (130, 110, 90),
    (40, 70, 200),
    (220, 40, 60),
    (20, 170, 190),
    (30, 30, 30),
)
"""One display colour per class id, RGB in [0, 255]."""
