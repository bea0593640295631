"""Section 10: the investigations."""

INVESTIGATIONS = ()
