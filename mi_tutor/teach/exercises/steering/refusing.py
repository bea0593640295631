"""Sections 6 to 9: refusing taken away, a guard, what a dictionary leaves out, a second instrument."""

REFUSING = ()
