"""The `mi-tutor` command: learn, start, update, doctor, progress, check, ....

`app` has the commands, each of which imports what it needs only when it runs, so that `mi-tutor --help` is
there at once. What they do is in the modules of the same names.
"""

from __future__ import annotations

import errno
import os
import sys

# A file or folder that is not there, not to be written, not what it should be, or has no room.
_FOR_THE_USER = {
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EROFS,
    errno.ENAMETOOLONG, errno.ENOSPC,
}  # fmt: skip


def main() -> None:
    """Run the command. Exit codes: 0 all is well, 1 something is not, 2 it could not be done, 130 interrupted."""
    from mi_tutor.cli.app import app
    from mi_tutor.cli.say import Trouble, complain
    from mi_tutor.teach.console import READABLE

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=READABLE)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except Trouble as trouble:
        complain(str(trouble))
        sys.exit(2)
    except KeyboardInterrupt:
        complain("Interrupted.")
        sys.exit(130)
    except BrokenPipeError:  # `mi-tutor exercises | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:  # what a command did not tell better itself
        if error.errno not in _FOR_THE_USER:
            raise
        where = f"{error.filename}: " if error.filename is not None else ""
        complain(f"It stopped: {where}{os.strerror(error.errno).lower()}.")
        sys.exit(2)
