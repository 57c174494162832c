"""Keeping a product's program running on a machine, and knowing for what it was started.

A machine starts its program again whenever it comes up, as it was last told to; in the meantime it may have been given
more memory, another port or a new configuration. So what the program was started *for* is noted on the disk after each
start, and one that runs for something else is started anew, under the token of the present step.

A program that ends by itself is started again, by the machine or by us; when it was found ended a few times, the step
has failed, for its owner to look into.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from puddle.server.clouds.base import Endpoint, Service, Serving, Shell, StepFailed
from puddle.server.domain.printed import readable

NOTE = "puddle-service.json"
TRIES = 3
"""How often a program is started for one step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Digests of what a program depends on: of the machine it runs on alone, and of all (configuration, login…)."""

    machine: str = ""
    all: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What lies on the disk: the step a program was last started for, how often, and what it needed."""

    token: str = ""
    tries: int = 0
    needs: Needs = Needs()


def needs(endpoint: Endpoint, *files: bytes) -> Needs:
    """Return what a program needs that is to run on `endpoint` and read `files`."""
    size = (float(endpoint.memory_gb), float(endpoint.vcpus))
    machine = _digest(repr((endpoint.host, sorted(endpoint.ports.items()), size)).encode())
    return Needs(machine=machine, all=_digest(machine.encode(), *files))


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def inside(endpoint: Endpoint, label: str) -> Shell:
    """Return the inside of a machine. Raises StepFailed where its cloud lets nobody in."""
    if endpoint.shell is None:
        sentence = f"{label} is set up from inside its machine, and this cloud does not let the server in"
        raise StepFailed("REFUSED", sentence, for_ever=True)
    return endpoint.shell


def put(shell: Shell, path: str, content: bytes) -> None:
    """Write a file unless it is there like that already."""
    if shell.read(path) != content:
        shell.write(path, content)


def keep_running(shell: Shell, label: str, service: Service, needed: Needs, *, anew: bool = False) -> None:
    """Let the machine keep `service` running; nothing where it does, started for the same needs.

    `anew`: it is to be the service of this very token. Raises StepFailed, `for_ever`, when it has ended too often.
    """
    serving, note = shell.serving(), read_note(shell)
    if _is_begun(serving, service) or _runs_so(serving, note, service, needed, anew=anew):
        return
    tries = note.tries + 1 if note.token == service.token else 1
    if tries > TRIES and serving is not None and not serving.running:
        raise StepFailed("PRODUCT_FAILED", _ended(label, serving), for_ever=True)
    shell.serve(service)
    note = Note(token=service.token, tries=tries, needs=needed)
    shell.write(NOTE, json.dumps(asdict(note)).encode())


def _is_begun(serving: Serving | None, service: Service) -> bool:
    """Whether the machine was asked for this very service a moment ago, and has not come to it yet."""
    asked = serving is not None and serving.token == service.token
    return asked and serving is not None and not serving.running and serving.exit_code is None


def _runs_so(serving: Serving | None, note: Note, service: Service, needed: Needs, *, anew: bool) -> bool:
    if serving is None or not serving.running or note.needs != needed:
        return False
    return serving.token == service.token or not anew


def _ended(label: str, serving: Serving) -> str:
    how = "" if serving.exit_code is None else f" with exit code {serving.exit_code}"
    return f"{label} was started {TRIES} times and ended{how} each time; the console of the system says why"


def runs(shell: Shell, serving: Serving | None, needed: Needs) -> bool:
    """Whether the program runs, and was started for the machine as it is now.

    Its configuration may have changed since: that counts from its next start.
    """
    return serving is not None and serving.running and read_note(shell).needs.machine == needed.machine


def has_ended(serving: Serving | None) -> bool:
    """Whether the program has run and ended. One that was asked for a moment ago, and is yet to begin, has not."""
    return serving is not None and not serving.running and serving.exit_code is not None


def read_note(shell: Shell) -> Note:
    """Return the note on the disk; an empty one where there is none that can be read: the disk is a user's."""
    try:
        found = json.loads(shell.read(NOTE) or b"{}")
        needed = Needs(machine=str(found["needs"]["machine"]), all=str(found["needs"]["all"]))
        return Note(token=str(found["token"]), tries=int(found["tries"]), needs=needed)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Note()


def read_text(shell: Shell, path: str, longest: int) -> str | None:
    """Return a text a user may have written, made fit to be stored: cut, and without what is no text."""
    content = shell.read(path)
    return None if content is None else readable(content[:longest].decode(errors="replace"))
