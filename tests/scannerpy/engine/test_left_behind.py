"""A worker that dies after its results are durable and before it has said so: nothing is computed again."""

from collections import deque

from scannerpy._engine import brain as b
from scannerpy._engine.body import News
from scannerpy._engine.run import execute
from scannerpy._engine.states import TaskId
from tests.scannerpy.engine import programs as p
from tests.scannerpy.engine.running import spec


class MortalBody:
    """A body (a fake) whose first worker dies at its first task; all others do at once what they are told."""

    most_workers = None
    takes_interrupts = False

    def __init__(self):
        self.news = deque()
        self.started = []

    def begin(self, spec):
        pass

    def do(self, instruction):
        match instruction:
            case b.SpawnWorker(worker):
                self.news.append(News(b.WorkerUp(worker)))
            case b.StartTask(0, task) if not self.started:
                self.started.append(task)
                self.news += [News(b.TaskBegun(0, task)), News(b.WorkerLost(0, "killed", task))]
            case b.StartTask(worker, task) if worker:
                self.started.append(task)
                self.news += [News(b.TaskBegun(worker, task)), News(b.TaskDone(worker, task), [f"done {task.number}"])]

    def wait(self, timeout):
        return [self.news.popleft()] if self.news else []

    def rows_running(self):
        return 0

    def end(self, *, cancel):
        return []

    def abandon(self):
        pass


def outcome_of(find):
    body, commits = MortalBody(), []
    run = spec(p.chain([p.twice], rows=(30,), io=10), workers=1)
    execute(type(run)(**{**{name: getattr(run, name) for name in run.__slots__}, "find": find}), body,
            lambda _: None, commits.append)  # fmt: skip
    return body.started, [result for group in commits for _, results in group for result in results]


def test_what_it_left_is_taken_and_not_computed_again():
    started, results = outcome_of(lambda tasks: {TaskId(0, 0): ["left"]} if TaskId(0, 0) in tasks else {})
    assert sorted(task.number for task in started) == [0, 1, 2]
    assert results == [["left"], ["done 1"], ["done 2"]]


def test_what_it_did_not_finish_is():
    started, results = outcome_of(lambda tasks: {})
    assert sorted(task.number for task in started) == [0, 0, 1, 2]
    assert results == [["done 0"], ["done 1"], ["done 2"]]
