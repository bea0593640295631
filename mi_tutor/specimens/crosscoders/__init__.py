"""What chapter 09 compares: copies of `atlas` that were trained on, and crosscoders of each with it.

texts      what the copies read: atlas's text, and what is new
copies     a difference of low rank, trained beside a frozen atlas
pairs      both models' streams on the same tokens
measures   what the cards say
recipes    all of them by name
"""

from mi_tutor.specimens.crosscoders.texts import (
    CHANGES,
    ChangedTexts,
    changed_texts,
    concepts,
    differing,
)

__all__ = ["CHANGES", "ChangedTexts", "changed_texts", "concepts", "differing"]
