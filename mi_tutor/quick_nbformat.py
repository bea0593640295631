"""Import nbformat without a parser that notebooks do not need. Whoever needs nbformat imports this before it.

nbformat brings jsonschema, and jsonschema takes `rfc3987_syntax` if it is installed, to check international web
addresses. JupyterLab installs it, and it takes two seconds of each process that imports it. The schema of
notebooks has no such addresses.
"""

from __future__ import annotations

import sys

NOT_NEEDED = "rfc3987_syntax"

if NOT_NEEDED in sys.modules:
    import nbformat
else:
    sys.modules[NOT_NEEDED] = None  # type: ignore[assignment]  # "not installed", while jsonschema asks
    try:
        import nbformat  # noqa: F401
    finally:
        del sys.modules[NOT_NEEDED]
