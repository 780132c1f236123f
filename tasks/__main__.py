"""`python -m tasks`: every task, one line each."""

from __future__ import annotations

import importlib
import pkgutil

import tasks
from tasks.common.study import Study
from tasks.common.task import Task

VERBS = {
    "evaluate": "test a run again, on its own test split or on other data",
    "predict": "answer pictures, rows of a table or texts with the model of a run",
    "export": "write SavedModel, LiteRT and ONNX files of a run, compared with its model",
    "compare": "put runs beside each other in a table and a chart",
}


def find_tasks() -> list[Task | Study]:
    """Every task and study of the suite, by name."""
    modules = (
        importlib.import_module(f"tasks.{module.name}")
        for module in pkgutil.iter_modules(tasks.__path__)
        if not module.ispkg and module.name not in {*VERBS, "__main__"}
    )
    return sorted((module.TASK for module in modules), key=lambda task: task.name)


def main() -> None:
    """Prints the list."""
    print("Tasks, each with --help:")
    for task in find_tasks():
        print(f"  python -m tasks.{task.name:<20} {task.summary}")
    print("On any run folder:")
    for name, summary in VERBS.items():
        print(f"  python -m tasks.{name:<20} {summary}")


if __name__ == "__main__":
    main()
