"""The widget of chapter 08: the plan desk."""

from mi_tutor.show.biology.desk import PlanDesk, plan_desk

__all__ = ["PlanDesk", "plan_desk"]
