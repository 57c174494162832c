"""Experiments of Driverless AI and of other AutoML products that list theirs."""

from __future__ import annotations

from puddle.client.proto.v2 import system_service_pb2


class DriverlessAIModel:
    """An experiment on a system."""

    def __init__(self, model: system_service_pb2.DAIModel) -> None:
        """`model` is the backend's message."""
        self._model = model

    @property
    def id(self) -> str:
        """Id of this experiment."""
        return self._model.id

    @property
    def description(self) -> str:
        """Description of this experiment."""
        return self._model.description

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return self._model.dataset

    @property
    def target(self) -> str:
        """Name of the target column."""
        return self._model.target

    @property
    def scorer(self) -> str:
        """Name of the scorer."""
        return self._model.scorer

    @property
    def accuracy(self) -> int:
        """The accuracy dial."""
        return self._model.accuracy

    @property
    def time(self) -> int:
        """The time dial."""
        return self._model.time

    @property
    def interpretability(self) -> int:
        """The interpretability dial."""
        return self._model.interpretability

    @property
    def score(self) -> float:
        """Validation score."""
        return self._model.score

    @property
    def test_score(self) -> float:
        """Score on the test set."""
        return self._model.test_score

    @property
    def progress(self) -> float:
        """How far it is."""
        return self._model.progress

    @property
    def training_duration(self) -> float:
        """Seconds of training."""
        return self._model.training_duration

    @property
    def status(self) -> float:
        """Status code of this experiment."""
        return float(self._model.status)

    @property
    def created(self) -> int:
        """Unix timestamp when this experiment was created."""
        return self._model.created

    @property
    def updated(self) -> int:
        """Unix timestamp when this experiment was updated."""
        return self._model.updated

    def __repr__(self) -> str:
        return f"<DriverlessAIModel {self.id}: {self.description}>"
