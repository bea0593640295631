"""`python -m mi_tutor.cli`, for when the command itself is not on the path."""

from mi_tutor.cli import main

main()
