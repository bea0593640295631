"""JupyterLab as a newcomer should meet it: no question about news, updates or kernels before the first sentence.

These are defaults, read from the workspace when `mi-tutor learn` starts JupyterLab there. What a learner sets in
JupyterLab itself counts more, and nothing outside the workspace is touched.
"""

from __future__ import annotations

import json
from pathlib import Path

from mi_tutor.folders import HIDDEN

OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/notebook-extension:tracker": {"autoStartDefaultKernel": True},
}


def settings_files(root: Path) -> dict[Path, bytes]:
    """The files to write, by their place in a workspace."""
    path = config_folder(root) / "labconfig" / "default_setting_overrides.json"
    return {path: as_json().encode()}


def as_json() -> str:
    """The defaults, as JupyterLab reads them from a file."""
    return json.dumps(OVERRIDES, indent=2) + "\n"


def config_folder(root: Path) -> Path:
    """What JupyterLab is told in JUPYTER_CONFIG_PATH, a folder beside the user's own."""
    return root / HIDDEN / "jupyter"
