"""The rules of a grading run: what is said on the command line, and what its folder was started with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from mi_tutor.cli.say import Trouble


def settle(
    out: Path, given: Mapping[str, Any], resume: bool, change: bool = False
) -> tuple[dict[str, Any], bytes]:
    """The rules as data, to be kept beside the results, and the secret, which is not."""
    from mi_tutor.classroom import started
    from mi_tutor.classroom.whole_class import SECRET, own_secret

    file = given.get("secret")
    secret = read_secret(file) if file else None
    draws = given.get("draws")
    said = {
        **given,
        "secret": started.fingerprint(secret, file) if secret else None,
        "draws": started.fingerprint(read_secret(draws), draws) if draws else None,
        "due": _date(given["due"]).isoformat() if given.get("due") else None,
    }
    before = started.read(out).get("options") if resume else None
    try:
        rules = started.settle(before, said, change)
    except started.Differs as error:
        raise Trouble(f"{out} {error}") from None
    kept = rules["secret"]
    if rules["exam"] and not (kept and kept["file"]):
        raise Trouble(
            "--exam needs the --secret that `mi-tutor exam` was given: it decides which version each learner has."
        )
    if kept is None or (secret is None and not kept["file"]):
        secret = own_secret(out / SECRET)
        rules["secret"] = started.fingerprint(secret)
    return rules, secret or _again(out, kept, "--secret", "hidden inputs")


def draws_of(out: Path, given: Mapping[str, Any], rules: Mapping[str, Any]) -> bytes | None:
    """The secret of investigations' draws, if the folder's rules have one; it decides nothing but marks."""
    if rules["draws"] is None:
        return None
    file = given.get("draws")
    return read_secret(file) if file else _again(out, rules["draws"], "--draws", "draws")


def _again(out: Path, kept: dict[str, str], option: str, decides: str) -> bytes:
    """The secret that a folder was started with, from where it was read then."""
    from mi_tutor.classroom.started import fingerprint

    file = Path(kept["file"])
    if file.is_file() and fingerprint(found := read_secret(file))["print"] == kept["print"]:
        return found
    raise Trouble(
        f"{out} was started with the secret of {file}, which is not there any more. Give {option} with the same "
        f"words: others give other {decides}, and other marks."
    )


@contextmanager
def nobody_else(out: Path) -> Iterator[None]:
    """While this lasts no other `grade` or `mark` writes into a folder of results: two would mix theirs."""
    from mi_tutor.classroom.ledger import InUse, alone

    try:
        with alone(out):
            yield
    except InUse as busy:
        raise Trouble(f"{busy} Wait until it has ended, or stop it.") from None


def options_of(rules: Mapping[str, Any], secret: bytes, draws: bytes | None = None) -> Any:
    """The same as the class's grader takes it."""
    from mi_tutor.classroom.remote import Rules
    from mi_tutor.classroom.whole_class import Late, Options

    late = None
    if rules["due"]:
        late = Late(_date(rules["due"]).timestamp(), rules["late_per_day"] / 100)
    own = {name: rules[name] for name in ("cell_seconds", "memory", "exam")}
    marking = Rules(rules["partial"], **own)
    return Options(1, secret, marking, late, rules["anonymous"], draws=draws)


def _date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Trouble(f"{text!r} is no date; expected something like 2026-03-01T18:00.") from None


def read_secret(path: Path) -> bytes:
    """The words of a secret's file."""
    if not path.is_file():
        raise Trouble(f"There is no file {path}; a secret is a file with some random words in it.")
    text = path.read_bytes().strip()
    if len(text) < 8:
        raise Trouble(f"{path} is too short to be a secret; expected at least 8 characters.")
    return text


def read_names(learners: Path) -> list[str]:
    """The learners of a file, one in each line."""
    if not learners.is_file():
        raise Trouble(f"There is no file {learners}; expected one with a learner in each line.")
    try:
        text = learners.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise Trouble(
            f"{learners} is no text in UTF-8; expected a learner in each line. Save it as text once more."
        ) from None
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names:
        raise Trouble(f"{learners}: no learners.")
    for name, times in Counter(names).items():
        if Path(name).name != name or name.startswith("."):
            raise Trouble(f"{learners}: {name} cannot be a file name.")
        if times > 1:
            raise Trouble(f"{learners}: {name} stands there {times} times. Who is meant?")
    return names
