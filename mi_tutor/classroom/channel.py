"""Messages between the grader and a worker: a length, and as many bytes that `teach.wire` reads."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from mi_tutor.teach.wire import MAX_BYTES, Garbled, from_bytes, to_bytes

_LENGTH = struct.Struct(">I")
POLL = 0.2  # seconds between two looks at whatever else has to be watched


class Closed(Exception):
    """The other side is gone."""


class Late(Exception):
    """No whole message came in time."""


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Raises Closed."""
    data = to_bytes(message)
    try:
        channel.sendall(_LENGTH.pack(len(data)) + data)
    except OSError:
        raise Closed from None


def receive(
    channel: socket.socket, seconds: float | None = None, watch: Callable[[], None] | None = None
) -> dict[str, Any]:
    """One message.

    Args:
        seconds: how long to wait for the whole of it; for ever if None.
        watch: called again and again while waiting; what it raises ends the waiting.

    Raises:
        Closed, Late: see there.
        Garbled: what came is no message, or too long.
    """
    end = None if seconds is None else time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size, end, watch))
    if length > MAX_BYTES:
        raise Garbled(f"{length} bytes")
    message = from_bytes(bytes(_exactly(channel, length, end, watch)))
    if not isinstance(message, dict):
        raise Garbled("no message")
    return message


def _exactly(
    channel: socket.socket, wanted: int, end: float | None, watch: Callable[[], None] | None
) -> bytearray:
    got = bytearray()
    while len(got) < wanted:
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            raise Late
        wait = POLL if left is None else min(POLL, left)
        if watch is not None:
            watch()
        if not select.select([channel], [], [], wait)[0]:
            continue
        try:
            more = channel.recv(min(wanted - len(got), 2**20))
        except OSError:
            more = b""
        if not more:
            raise Closed
        got += more
    return got
