"""One module a task, run with `python -m tasks.NAME`; verbs that work on any run folder."""
