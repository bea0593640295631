"""Section 10: the investigations."""

from mi_tutor.teach.exercises.steering.fool_the_dashboard import FOOL_THE_DASHBOARD
from mi_tutor.teach.exercises.steering.make_it_behave import MAKE_IT_BEHAVE

INVESTIGATIONS = (MAKE_IT_BEHAVE, FOOL_THE_DASHBOARD)
