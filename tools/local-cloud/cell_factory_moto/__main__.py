"""`python3 -m cell_factory_moto --port N`: the mended moto server on http://localhost:N, until it is ended."""

import argparse
import os
import signal
import sys

from . import moto_problem


def main() -> None:
    """Checks moto's version, then serves. moto itself is imported late, so that a wrong version is told in one line."""
    parser = argparse.ArgumentParser(prog="cell_factory_moto")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    problem = moto_problem()
    if problem:
        sys.exit(problem)
    # moto reads the port when a state machine calls back into the server.
    os.environ["MOTO_PORT"] = str(port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    from .server import serve

    serve(port)


main()
