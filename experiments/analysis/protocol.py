"""How the runs behind a number were made, in one sentence."""

from collections.abc import Sequence

from experiments.analysis import names
from experiments.analysis.contrast import Term
from experiments.analysis.kept import Summary
from experiments.config.schema import Experiment


def protocol(kept: Summary, terms: Sequence[Term], seeds: list[int]) -> str:
    """How the runs were made, in a sentence.

    Args:
        kept: The experiment.
        terms: What is compared; each distinct setting is described.
        seeds: The final seeds that the number rests on.

    Returns:
        The sentence; it names the tier, the data and what is special about them.
    """
    experiment = kept.experiment
    settings = dict.fromkeys(term.setting for term in terms)
    ran = list(dict.fromkeys(_what_ran(experiment, setting) for setting in settings))
    rates = list(dict.fromkeys(_rates(experiment, [term for term in terms if term.setting == one]) for one in settings))
    words = [
        f"{experiment.tier} tier of {experiment.name} ({'; '.join(ran)})",
        f"learning rate {' or '.join(rates)}",
        f"{len(seeds)} final seeds, paired",
        *kept.report.notes,
    ]
    return "; ".join(words)


def _what_ran(experiment: Experiment, setting: str) -> str:
    data, model, training = experiment.resolve(setting)
    precision = "" if training.precision == "float32" else training.precision
    parts = (names.data(data), names.tested(data), names.network(model), names.batch(training), names.length(training))
    return ", ".join(part for part in (*parts, precision) if part)


def _rates(experiment: Experiment, terms: Sequence[Term]) -> str:
    """How the learning rates of one setting came about."""
    setting, labels = terms[0].setting, dict.fromkeys(term.label for term in terms)
    tuning, count = experiment.tuning, len(experiment.grid(setting).values())
    if count == 1:
        of = {label: f"{experiment.rates(label, setting)[0]:g}" for label in labels}
        if len(set(of.values())) == 1:
            return f"{min(of.values())} for all"
        return ", ".join(f"{rate} for {label}" for label, rate in of.items())
    others = f"{len(tuning.seeds)} other seed{'s' if len(tuning.seeds) > 1 else ''}"
    tuned = " and ".join(
        f"{', '.join(one.tuned)} of {label}" for label, one in experiment.optimizers.items() if one.tuned
    )
    trials = f"{count} trials, with {tuned}," if tuned else f"{count}"
    return f"chosen for each competitor from {trials} by validation {tuning.metric} over {others}"
