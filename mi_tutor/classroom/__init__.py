"""Grading a whole class: answers run in a jail (`jail`, `inside`), and are judged out of their reach."""
