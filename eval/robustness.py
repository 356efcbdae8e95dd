"""What misspelt, padded or otherwise changed questions cost each system."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics import METRICS
from eval.perturb import PERTURBATIONS, perturbed
from eval.retrieval import Evaluation, evaluate
from eval.significance import Interval, bootstrap, holm, permutation_test
from eval.systems import systems
from index.engine import Engine

__all__ = ["Loss", "robustness"]

COLUMN = METRICS.index("nDCG@10")


@dataclass(frozen=True, slots=True)
class Loss:
    """One system under one perturbation, by nDCG@10; ``difference`` is changed − clean."""

    perturbation: str
    system: str
    clean: float
    changed: float
    difference: Interval
    p_value: float
    p_holm: float

    @property
    def share(self) -> float:
        """The part of the clean value that is lost; below 0 is a gain."""
        return (self.clean - self.changed) / self.clean if self.clean else 0.0


def robustness(engine: Engine, names: Sequence[str], evaluation: Evaluation) -> list[Loss]:
    """Ask every question again in six other ways; Holm's correction runs over all rows."""
    clean = {system.name: system.values[:, COLUMN] for system in evaluation.systems}
    rows = []
    for name in PERTURBATIONS:
        dataset = perturbed(evaluation.dataset, name)
        for system in evaluate(dataset, systems(engine, names, dataset)).systems:
            rows.append((name, system.name, system.values[:, COLUMN]))
    p_values = [permutation_test(values - clean[system]) for _, system, values in rows]
    return [
        Loss(
            perturbation=name,
            system=system,
            clean=float(clean[system].mean()),
            changed=float(values.mean()),
            difference=bootstrap(values - clean[system]),
            p_value=p_value,
            p_holm=p_holm,
        )
        for (name, system, values), p_value, p_holm in zip(
            rows, p_values, holm(p_values), strict=True
        )
    ]
