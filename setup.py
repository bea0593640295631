"""What pyproject.toml cannot say: a wheel carries the notebooks, which stand outside the package.

`mi_tutor/folders.py` finds them in either place. An editable install copies nothing: there the clone has them.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

INSIDE = "mi_tutor/course"  # where they are in a wheel


class WithTheCourse(build_py):
    """Build the package, and put chapters and executed solutions into it."""

    def run(self):
        super().run()
        if not self.editable_mode:
            for source, target in self.notebooks().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target)

    def notebooks(self):
        """Where each goes, by where it is."""
        return {
            str(path): str(Path(self.build_lib, INSIDE, path.parent, path.name))
            for folder in ("chapters", "solutions")
            for path in sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))
            if ".kept-" not in path.name
        }

    def get_outputs(self, include_bytecode=True):
        return super().get_outputs(include_bytecode) + list(self.notebooks().values())

    def get_source_files(self):
        return super().get_source_files() + list(self.notebooks())


setup(cmdclass={"build_py": WithTheCourse})
