"""Make a model do things: steer what it writes, take a behaviour away, guard it, and see where control ends.

# free text and its measures
    (to come)
# refusing, guards, errors
    (to come)
# for the investigations
    (to come)
"""

__all__: list[str] = []
