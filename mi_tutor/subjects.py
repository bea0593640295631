"""The subjects of the course by chapter: one word each, which is the name of their rooms everywhere.

`mi_tutor.lab.patching` has the science of chapter 04, `mi_tutor.show.patching` its figures,
`mi_tutor.teach.exercises.patching` its exercises, `tests/lab/patching` the tests.
"""

SUBJECTS = {
    "00": "reading",
    "01": "superposition",
    "02": "dictionaries",
    "03": "induction",
    "04": "patching",
    "05": "swaps",
    "06": "tracing",
    "07": "steering",
    "08": "biology",
    "09": "crosscoders",
    "10": "auditing",
}
