"""A process that has loaded moto and all mends once, and forks a server for each that is asked for. Tests start dozens of clouds, and
loading takes longer than most of what they do with one. A fork has what it needs and shares the memory; it knows nothing of others."""

import atexit
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
from typing import Any

from moto.moto_api._internal import mock_random

from .server import MENDS, create_mended_app, serve

# Services without mends that nearly every test calls.
OTHERS = ("account", "ec2", "ecr", "ecs", "elbv2", "iam", "kms", "logs", "rds", "secretsmanager", "sns", "sqs", "ssm", "sts")


def _load() -> None:
    for service, modules in MENDS.items():
        for module in modules:
            importlib.import_module(f"{__package__}.{module}")
        if service != "s3bucket_path":
            create_mended_app(service)
    for service in OTHERS:
        create_mended_app(service)
    gc.collect()
    # Objects that were there before a fork are never looked at again: the pages stay shared.
    gc.freeze()


def _become_server(order: dict[str, Any]) -> None:
    """The child: what `__main__` does for a server of its own."""
    os.setsid()
    os.environ.update(order["environment"])
    os.environ["MOTO_PORT"] = str(order["port"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Ids must differ from those of the next fork.
    random.seed()
    mock_random.seed()
    serve(order["port"])


def _end(servers: list[int]) -> None:
    """Nobody is left to end them."""
    for pid in servers:
        try:
            os.killpg(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    sys.exit(0)


def keep(path: str) -> None:
    """Answers each line of JSON on the socket with the pid of a new server, until it is ended, or its input, which whoever started it holds."""
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    servers: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: _end(servers))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            _end(servers)
        connection, _ = listener.accept()
        with connection, connection.makefile("rw") as stream:
            order = json.loads(stream.readline())
            pid = os.fork()
            if pid == 0:
                listener.close()
                connection.detach()
                os.closerange(3, 1024)
                try:
                    _become_server(order)
                finally:
                    # What must go with it goes: processes of functions, temporary folders.
                    atexit._run_exitfuncs()
                    os._exit(0)
            servers.append(pid)
            stream.write(f"{pid}\n")
            stream.flush()


if __name__ == "__main__":
    keep(sys.argv[1])
