"""One source per chapter, two notebooks: stubs for learners, executed solutions for everyone.

`source` reads a chapter, `markers` turns solutions into stubs, `notebook` makes notebooks of both,
`build` and `execute` write them, `stale` and `lint` say what is wrong. The source's format is
described in docs/authoring.md.
"""

from mi_tutor import quick_nbformat  # noqa: F401  (before any other import of nbformat)
