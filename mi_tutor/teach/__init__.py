"""What stands beside the learner: checks, hints, quick checks and progress. Light: no torch until a check runs."""

from mi_tutor.teach.checking import CheckFailed, check, hint
from mi_tutor.teach.progress import progress
from mi_tutor.teach.quiz import quiz
from mi_tutor.teach.reviewing import review

__all__ = ["CheckFailed", "check", "hint", "progress", "quiz", "review"]
