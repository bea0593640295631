"""A worker that was started, not forked: it imports, runs the chapter's cells, and calls its grader."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from mi_tutor.classroom.channel import send
from mi_tutor.classroom.inside.cells import Cells
from mi_tutor.classroom.inside.nursery import import_everything, warm_up
from mi_tutor.classroom.inside.serving import serve


def main() -> None:
    told = {name: os.environ.pop(f"MI_TUTOR_{name}") for name in ("PORT", "TOKEN", "WARM")}
    import_everything()
    cells = Cells()
    ran = warm_up(cells, **json.loads(Path(told["WARM"]).read_text(encoding="utf-8")))
    channel = socket.create_connection(("127.0.0.1", int(told["PORT"])))
    send(channel, {"token": told["TOKEN"], "ran": ran})
    serve(channel, cells)


if __name__ == "__main__":
    main()
