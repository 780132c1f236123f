"""The ten digits as pictures of 7 x 12 pixels: the fixed targets of LeNet-5's output units.

LeCun et al. 1998, section II.B, take stylised pictures of the characters, so that digits that
look alike have codes that lie close, and every unit below the output works around the middle of
its squashing function. These are drawn for this project in the manner of the paper's figure 3.
"""

from __future__ import annotations

import numpy as np

HEIGHT, WIDTH = 12, 7

_DRAWINGS = (
    """
    .......  .......  .......  .......  .......
    ..###..  ...#...  ..###..  .#####.  .....#.
    .#...#.  ..##...  .#...#.  .....#.  ....##.
    #.....#  .#.#...  #.....#  ....#..  ...#.#.
    #.....#  ...#...  ......#  ...#...  ..#..#.
    #.....#  ...#...  .....#.  ..####.  .#...#.
    #.....#  ...#...  ....#..  .....##  #....#.
    #.....#  ...#...  ...#...  ......#  #######
    #.....#  ...#...  ..#....  ......#  .....#.
    .#...#.  ...#...  .#.....  #....##  .....#.
    ..###..  .#####.  #######  .#####.  .....#.
    .......  .......  .......  .......  .......
    """,
    """
    .......  .......  .......  .......  .......
    #######  ...###.  #######  .#####.  ..###..
    #......  ..#....  ......#  #.....#  .#...#.
    #......  .#.....  .....#.  #.....#  #.....#
    #......  #......  .....#.  #.....#  #.....#
    #.####.  #.###..  ....#..  .#####.  #.....#
    ##....#  ##...#.  ....#..  #.....#  .#...##
    ......#  #.....#  ...#...  #.....#  ..###.#
    ......#  #.....#  ...#...  #.....#  ......#
    #.....#  .#...#.  ..#....  #.....#  .....#.
    .#####.  ..###..  ..#....  .#####.  .###...
    .......  .......  .......  .......  .......
    """,
)


def digit_codes() -> np.ndarray:
    """The pictures row by row, float32 (10, 84): +1 on a stroke, -1 beside it."""
    codes = []
    for drawing in _DRAWINGS:
        rows = [line.split() for line in drawing.strip().splitlines()]
        codes += ["".join(row[column] for row in rows) for column in range(len(rows[0]))]
    return np.array([[1.0 if dot == "#" else -1.0 for dot in code] for code in codes], np.float32)
