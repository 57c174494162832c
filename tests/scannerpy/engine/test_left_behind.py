"""A worker that dies after its results are durable and before it has said so: nothing is computed again."""

from collections import deque

from scannerpy._engine import protocol
from scannerpy._engine.executor import Update
from scannerpy._engine.run import execute
from scannerpy._engine.states import TaskId
from tests.scannerpy.engine import programs as p
from tests.scannerpy.engine.running import spec


class MortalExecutor:
    """An executor (a fake) whose first worker dies at its first task; all others do at once what they are told."""

    most_workers = None
    takes_interrupts = False

    def __init__(self):
        self.updates = deque()
        self.started = []

    def begin(self, spec):
        pass

    def do(self, instruction):
        match instruction:
            case protocol.SpawnWorker(worker):
                self.updates.append(Update(protocol.WorkerUp(worker)))
            case protocol.StartTask(0, task) if not self.started:
                self.started.append(task)
                self.updates += [Update(protocol.TaskBegun(0, task)), Update(protocol.WorkerLost(0, "killed", task))]
            case protocol.StartTask(worker, task) if worker:
                self.started.append(task)
                self.updates += [
                    Update(protocol.TaskBegun(worker, task)),
                    Update(protocol.TaskDone(worker, task), [f"done {task.number}"]),
                ]

    def wait(self, timeout):
        return [self.updates.popleft()] if self.updates else []

    def rows_running(self):
        return 0

    def end(self, *, cancel):
        return []

    def abort(self):
        pass


def outcome_of(find):
    executor, commits = MortalExecutor(), []
    run = spec(p.chain([p.twice], rows=(30,), io=10), workers=1)
    execute(type(run)(**{**{name: getattr(run, name) for name in run.__slots__}, "find_results": find}), executor,
            lambda _: None, commits.append)  # fmt: skip
    return executor.started, [result for group in commits for _, results in group for result in results]


def test_what_it_left_is_taken_and_not_computed_again():
    started, results = outcome_of(lambda tasks: {TaskId(0, 0): ["left"]} if TaskId(0, 0) in tasks else {})
    assert sorted(task.number for task in started) == [0, 1, 2]
    assert results == [["left"], ["done 1"], ["done 2"]]


def test_what_it_did_not_finish_is():
    started, results = outcome_of(lambda tasks: {})
    assert sorted(task.number for task in started) == [0, 0, 1, 2]
    assert results == [["done 0"], ["done 1"], ["done 2"]]
