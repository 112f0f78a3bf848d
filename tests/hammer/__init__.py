"""Many writers on few brands, while a watcher looks at what is committed: `python -m tests.hammer`.

stage.py     the agency that they write in, and a clock that runs through days and a month's end
writers.py   what a writer does, and its own books of what was accepted
watcher.py   SQL written for this test: who runs over a limit, and is held below one
run.py       both together, and what came of it
"""
