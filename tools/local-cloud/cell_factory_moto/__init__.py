"""moto, mended: a local AWS cloud that is faithful enough for the plain CDK CLI.

Start it with `PYTHONPATH=tools/local-cloud python3 -m cell_factory_moto --port N`. Every module mends one thing; its docstrings
say what moto does and what AWS does. moto is pinned to one version, because mends reach into its internals.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REQUIREMENT = (Path(__file__).parent.parent / "requirements.txt").read_text().strip()
MOTO_VERSION = REQUIREMENT.split("==")[1]


def moto_problem() -> str | None:
    """What is wrong with the installed moto, in one line, or None if it is the version that these mends are for."""
    try:
        found = version("moto")
    except PackageNotFoundError:
        found = "none"
    if found == MOTO_VERSION:
        return None
    return f"The local cloud needs moto {MOTO_VERSION}, found {found}: pip install '{REQUIREMENT}'"
