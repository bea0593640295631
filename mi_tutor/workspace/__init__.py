"""A learner's own folder: made, brought up to date, put back; and no answer is ever lost.

1. `cells` says what a notebook's cells are, and `matching` which of mine is which of the course's.
2. `merging` puts a newer chapter around a learner's work, `arranging` sees to order and ids: pure functions on
   notebooks, nothing is written.
3. `planning` works out what an update does to each file; `moving` finds answers whose exercise is in another
   chapter now.
4. `steps` writes many files as one step that can be undone, with a copy of what was there.
5. `folder` is the workspace itself: `start`, `update`, `undo`, `reset` are what the command calls.
"""
