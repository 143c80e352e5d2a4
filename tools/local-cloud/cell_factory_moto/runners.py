"""The processes that functions run in. As on Lambda one takes event after event, and several work when events overlap:
most of an invocation's time would otherwise go into starting Node.js and loading the code."""

import atexit
import json
import os
import select
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The Node.js that runs functions. The local cloud is started by one, and says which.
NODE = os.environ.get("CELL_FACTORY_NODE", "node")
RUNTIME = Path(__file__).parent / "runtime.cjs"

# Starting and loading do not count as a function's own time; on AWS they may take this long.
START_SECONDS = 10

# More processes of one function than this only take turns on a machine of few cores: further events wait.
MOST_PER_FUNCTION = 4

# A process that has had nothing to do for so long is ended.
IDLE_SECONDS = 30


class Runner:
    """One process of one function. Events and answers go through pipes of their own; what it prints goes to a file, which unlike
    a pipe never fills up and has everything in it when the answer is there."""

    def __init__(self, owner: Any, fingerprint: str, folder: Path, settings: dict[str, Any], environment: dict[str, str]):
        self.owner = owner
        self.fingerprint = fingerprint
        self.idle_since = 0.0
        self.was_late = False
        self._ends = False
        self._log = tempfile.TemporaryFile(prefix="cell-factory-log-")
        events, self._events = os.pipe()
        self._answers, answers = os.pipe()
        settings = {**settings, "events": events, "answers": answers}
        self.process = subprocess.Popen(
            [NODE, str(RUNTIME)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**environment, "CELL_FACTORY_FUNCTION": json.dumps(settings)},
            pass_fds=(events, answers),
        )
        os.close(events)
        os.close(answers)

    def call(self, event: str, timeout: int) -> tuple[dict[str, Any] | None, str]:
        """The answer to an event, or None if the process ended or had to be ended instead; and what it has printed meanwhile."""
        # The process writes where this file's position is: it is the same open file.
        self._log.seek(0)
        self._log.truncate()
        line = json.dumps({"request": str(uuid.uuid4()), "event": event}) + "\n"
        deadline = time.monotonic() + timeout + START_SECONDS
        answer = json.loads(self._exchange(line.encode(), deadline) or "null")
        self._ends = answer is None or answer["last"]
        return answer, os.pread(self._log.fileno(), 1 << 30, 0).decode(errors="replace")

    def _exchange(self, line: bytes, deadline: float) -> bytes:
        answer = b""
        try:
            while line:
                line = line[os.write(self._events, line) :]
        except BrokenPipeError:
            return answer
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([self._answers], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                self.was_late = True
                self.process.kill()
            part = os.read(self._answers, 1 << 16)
            if not part:
                self.process.wait()
                return b""
            answer += part
        return answer

    def is_usable(self) -> bool:
        """Whether it can take another event."""
        return not self._ends and self.process.poll() is None

    def exit_status(self) -> int:
        return self.process.wait()

    def end(self) -> None:
        """Ends the process and forgets what it had."""
        self.process.kill()
        self.process.wait()
        for pipe in (self._events, self._answers):
            os.close(pipe)
        self._log.close()


class RunnerPool:
    """All processes, of all functions."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._idle: list[Runner] = []
        self._busy: list[Runner] = []
        self._sweeper: threading.Thread | None = None
        atexit.register(self._end_all)

    def take(
        self, owner: Any, folder: Path, settings: dict[str, Any], environment: dict[str, str], keys: Callable[[], dict[str, str]]
    ) -> Runner:
        """A process of the function as it is now: one that waits, or a new one, or, if there are too many, the next that is free."""
        fingerprint = json.dumps([str(folder), settings, environment], sort_keys=True)
        with self._changed:
            self._end([each for each in self._idle if each.owner is owner and (each.fingerprint != fingerprint or not each.is_usable())])
            self._changed.wait_for(lambda: self._find(owner, fingerprint) or self._count(owner) < MOST_PER_FUNCTION)
            runner = self._find(owner, fingerprint)
            if runner:
                self._idle.remove(runner)
            else:
                runner = Runner(owner, fingerprint, folder, settings, {**environment, **keys()})
            self._busy.append(runner)
        return runner

    def give_back(self, runner: Runner) -> None:
        """The process is free for another event, if it still lives."""
        with self._changed:
            self._busy.remove(runner)
            runner.idle_since = time.monotonic()
            self._idle.append(runner)
            if not runner.is_usable():
                self._end([runner])
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._sweep, daemon=True)
                self._sweeper.start()
            self._changed.notify_all()

    def _find(self, owner: Any, fingerprint: str) -> Runner | None:
        return next((each for each in self._idle if each.owner is owner and each.fingerprint == fingerprint and each.is_usable()), None)

    def _count(self, owner: Any) -> int:
        return sum(each.owner is owner for each in self._busy)

    def _end(self, runners: list[Runner]) -> None:
        for runner in runners:
            self._idle.remove(runner)
            runner.end()

    def _sweep(self) -> None:
        while True:
            time.sleep(IDLE_SECONDS / 6)
            with self._changed:
                self._end([each for each in self._idle if time.monotonic() - each.idle_since > IDLE_SECONDS])

    def _end_all(self) -> None:
        # Without the lock, which a thread that will never go on may hold.
        for runner in [*self._idle, *self._busy]:
            runner.process.kill()
