"""The quick checks of chapter 07, in the order in which they are met."""

QUIZZES = ()
