"""The scheduler against a small model: whatever workers do, no task is lost or runs twice at once, jobs commit exactly
once, and the run comes to an end.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scannerpy._engine import protocol
from scannerpy._engine.assignment import JobShape
from scannerpy._engine.scheduler import Scheduler
from scannerpy._engine.states import JobState, TaskId, TaskState

TIMEOUT = 10


class Run(RuleBasedStateMachine):
    """Plays the executor: keeps the tasks each worker really holds, and answers in any order."""

    @initialize(
        counts=st.lists(st.integers(0, 6), max_size=5),
        workers=st.integers(1, 3),
        ahead=st.integers(0, 2),
        frequency=st.integers(1, 3),
        data=st.data(),
    )
    def begin(self, counts, workers, ahead, frequency, data):
        self.now = 0.0
        self.counts = counts
        self.done = {TaskId(j, i) for j, n in enumerate(counts) for i in range(n) if data.draw(st.integers(0, 4)) == 0}
        shapes = [
            JobShape(
                [1 + i % 3 for i in range(n)], [i % 3 for i in range(n)], {t.number for t in self.done if t.job == j}
            )
            for j, n in enumerate(counts)
        ]
        self.attempts = 2
        self.scheduler = Scheduler(shapes, protocol.Limits(workers, ahead, self.attempts, TIMEOUT, 30, frequency))
        self.starting, self.held, self.begun, self.dying = [], {}, {}, set()
        self.failures, self.committed, self.given_up = {}, [], set()
        self.finish = None
        self.obey(self.scheduler.start(self.now))

    # carrying out

    def obey(self, instructions):
        for instruction in instructions:
            assert self.finish is None, "Finish is the last instruction"
            getattr(self, "do_" + type(instruction).__name__)(instruction)

    def do_SpawnWorker(self, i):
        self.starting.append(i.worker)

    def do_KillWorker(self, i):
        assert i.worker in self.held
        self.dying.add(i.worker)

    def do_StartTask(self, i):
        assert i.worker not in self.dying
        assert all(i.task not in tasks for tasks in self.held.values()), "runs twice at once"
        assert i.task not in self.done, "done already"
        assert i.task.job not in self.given_up
        self.held[i.worker].append(i.task)

    def do_DropTask(self, i):
        assert i.task in self.held[i.worker]
        assert i.task.job in self.given_up

    def do_CommitJobs(self, i):
        for job in i.jobs:
            assert all(TaskId(job, n) in self.done for n in range(self.counts[job]))
            assert job not in self.committed
            self.committed.append(job)

    def do_GiveUpJob(self, i):
        assert self.failures[i.task] >= self.attempts
        self.given_up.add(i.job)

    def do_Finish(self, i):
        self.finish = i

    # what workers do

    def tell(self, event):
        self.obey(self.scheduler.react(event, self.now))

    def count(self, task):
        if task.job not in self.given_up:
            self.failures[task] = self.failures.get(task, 0) + 1

    @precondition(lambda self: self.starting)
    @rule(data=st.data())
    def comes_up(self, data):
        worker = data.draw(st.sampled_from(self.starting))
        self.starting.remove(worker)
        self.held[worker] = []
        self.tell(protocol.WorkerUp(worker))

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data(), how=st.sampled_from(["begin", "begin", "done", "done", "done", "fail"]))
    def works(self, data, how):
        worker = data.draw(st.sampled_from([w for w, tasks in self.held.items() if tasks]))
        task = self.held[worker][0]
        if task not in self.begun.setdefault(worker, set()):
            self.begun[worker].add(task)
            self.tell(protocol.TaskBegun(worker, task))
        if how == "begin":
            return
        self.held[worker].remove(task)
        if how == "fail":
            self.count(task)
            self.tell(protocol.TaskFailed(worker, task, "boom"))
        else:
            if task.job not in self.given_up:
                self.done.add(task)
            self.tell(protocol.TaskDone(worker, task))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def dies(self, data):
        worker = data.draw(st.sampled_from(list(self.held)))
        begun = [t for t in self.held.pop(worker) if t in self.begun.get(worker, ())]
        blame = begun[-1] if begun else None
        if worker in self.dying:
            self.dying.discard(worker)
            blame = begun[0] if begun else None
        if blame:
            self.count(blame)
        self.tell(protocol.WorkerLost(worker, "died", blame))

    @precondition(lambda self: self.starting)
    @rule(data=st.data())
    def never_comes_up(self, data):
        worker = data.draw(st.sampled_from(self.starting))
        self.starting.remove(worker)
        self.tell(protocol.WorkerLost(worker, "did not start"))

    @rule(seconds=st.sampled_from([1, 9, 11, 31]))
    def time_passes(self, seconds):
        self.now += seconds
        self.tell(protocol.Tick())

    # what always holds

    @invariant()
    def no_task_is_lost(self):
        if not hasattr(self, "scheduler") or self.finish:
            return
        running = {t for tasks in self.held.values() for t in tasks}
        states = self.scheduler.states
        for job, n in enumerate(self.counts):
            for task in (TaskId(job, i) for i in range(n)):
                state = states.task(task)
                if task in self.done:
                    assert state is TaskState.DONE
                elif job in self.given_up:
                    assert state is TaskState.DROPPED
                else:
                    assert state is (TaskState.RUNNING if task in running else TaskState.WAITING), states.story(task)

    @invariant()
    def somebody_works_as_long_as_something_waits(self):
        if not hasattr(self, "scheduler") or self.finish:
            return
        tasks = [TaskId(j, i) for j, n in enumerate(self.counts) for i in range(n)]
        waiting = any(self.scheduler.states.task(t) is TaskState.WAITING for t in tasks)
        usable = [held for w, held in self.held.items() if w not in self.dying]
        assert not waiting or not usable or any(usable)

    def teardown(self):
        """From wherever it stands, workers that behave bring the run to its end."""
        if not hasattr(self, "scheduler"):
            return
        for _ in range(200):
            if self.finish:
                break
            self.one_good_step()
        assert self.finish is not None
        if not self.finish.error:
            states = {self.scheduler.states.job(j) for j in range(len(self.counts))}
            assert states <= {JobState.COMMITTED, JobState.GIVEN_UP}
            assert sorted(self.committed) == [j for j in range(len(self.counts)) if j not in self.given_up]

    def one_good_step(self):
        if self.dying:
            worker = self.dying.pop()
            begun = [t for t in self.held.pop(worker) if t in self.begun.get(worker, ())]
            for task in begun[:1]:
                self.count(task)
            self.tell(protocol.WorkerLost(worker, "killed"))
        elif self.starting:
            worker = self.starting.pop()
            self.held[worker] = []
            self.tell(protocol.WorkerUp(worker))
        else:
            for worker, tasks in self.held.items():
                if tasks:
                    task = tasks.pop(0)
                    self.done |= {task} if task.job not in self.given_up else set()
                    self.tell(protocol.TaskDone(worker, task))
                    return
            self.now += 31
            self.tell(protocol.Tick())


TestRun = Run.TestCase
TestRun.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
