"""The exercises that tests walk: all of the course, or one chapter's while a record of it is made.

So that a chapter's record stands on its own exercises, and not on those of the whole course.
"""

from __future__ import annotations

import os

from mi_tutor.asking import ASKED
from mi_tutor.subjects import SUBJECTS
from mi_tutor.teach.registry import exercises

CHAPTERS = tuple(number for number in SUBJECTS if os.environ.get(ASKED, number) == number)
EXERCISES = tuple(item for number in CHAPTERS for item in exercises(number))
