"""The recipes of all small specimens, by name."""

from mi_tutor.specimens.biology.echoes_recipe import ECHOES
from mi_tutor.specimens.biology.people import PEOPLE
from mi_tutor.specimens.biology.planner import PLANNER, TWIN
from mi_tutor.specimens.biology.polyglot import POLYGLOT
from mi_tutor.specimens.biology.polyglot import TWIN as POLYGLOT_TWIN

SMALL = {small.name: small for small in (PLANNER, TWIN, POLYGLOT, POLYGLOT_TWIN, PEOPLE, ECHOES)}
