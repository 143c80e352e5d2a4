"""moto, mended: a local AWS cloud that is faithful enough for the plain CDK CLI.

README.md says how to start it by hand. Every module mends one thing; its docstrings
say what moto does and what AWS does. moto is pinned to one version, because mends reach into its internals.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REQUIREMENTS = Path(__file__).parent.parent / "requirements.txt"
MOTO_VERSION = next(line[len("moto==") :].strip() for line in REQUIREMENTS.read_text().splitlines() if line.startswith("moto=="))


def moto_problem() -> str | None:
    """What is wrong with the installed moto, in one line, or None if it is the version that these mends are for."""
    try:
        found = version("moto")
    except PackageNotFoundError:
        found = "none"
    if found == MOTO_VERSION:
        return None
    return f"The local cloud needs moto {MOTO_VERSION}, found {found}: pip install -r '{REQUIREMENTS}'"
