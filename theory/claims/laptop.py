"""Our claims about small trained networks: the six questions of the experiments, answered at a laptop's size.

They say nothing about the paper's tables, whose scale is another. Every one is worded so that the evidence can go
against it; a claim whose interval holds its bound is open, and counts as not reproduced.
"""

from theory.claims.experiments import evidence_for
from theory.ledger import Claim

_SOURCE = "ours; laptop tier"

_DATA = {
    "digits": "on handwritten digits (a convolutional network)",
    "cifar": "on a tenth of CIFAR-10 (a convolutional network)",
    "gpt": "on a character model (a transformer)",
}
_SIZES = {"large": "at large batch", "small": "at small batch"}
_RIVALS = {
    "alto-vs-lamb": "ALTO ends better than LAMB",
    "e-vs-adamw": "EAdamW ends better than AdamW",
    "alto-best": "ALTO ends better than each of LAMB, EAdamW, AdamW, SGD, QHAdam and AdEMAMix",
}

_CLIPPED = {
    "digits-large": "on handwritten digits at large batch",
    "digits-small": "on handwritten digits at small batch",
    "cifar-large": "on a tenth of CIFAR-10 at large batch",
}

_RATES = {"tuned": "each at its own tuned learning rate", "equal": "both at one learning rate"}


def _statements() -> dict[str, str]:
    """The statement of each claim, by id."""
    tuned = "each with the learning rate that validation chooses"
    found = {
        f"ours-{name}-{data}-{size}": f"{words} {where} {when}, {tuned}."
        for data, where in _DATA.items()
        for size, when in _SIZES.items()
        for name, words in _RIVALS.items()
    }
    for name, where in _CLIPPED.items():
        found[f"ours-clipping-{name}"] = f"Clipping the gradient to norm 1 makes LAMB end better {where}."
        found[f"ours-unfair-lead-{name}"] = f"ALTO with clipping ends better than LAMB without, {where}."
    for size, when in _SIZES.items():
        found[f"ours-alpha-grid-{size}"] = (
            f"The paper's alpha is within half a point of the one that validation prefers, on the digits {when}."
        )
        found[f"ours-alpha-far-{size}"] = f"alpha = -90 (c = 0.9) ends worse than alpha = 0 on the digits {when}."
        for how, rate in _RATES.items():
            found[f"ours-flatness-{size}-{how}"] = (
                "alpha = -50 ends flatter than alpha = 0 in the filter-normalised measure, on the digits "
                f"{when}, {rate}."
            )
        found[f"ours-alpha-star-is-lamb-{size}"] = (
            "ALTO at alpha* and LAMB with beta2 := beta1 end within one point of each other on the digits "
            f"{when}, {tuned}."
        )
        found[f"ours-extrapolation-{size}"] = (
            "E as an extrapolation (c = -0.5: alpha = 5, beta1 = 0.9) ends better than LAMB on the digits "
            f"{when}, {tuned}."
        )
    found["ours-cost-of-a-step"] = "On a CPU, a fused step of ALTO takes at most a quarter longer than one of LAMB."
    return found


CLAIMS = tuple(
    Claim(
        id=name,
        source=_SOURCE,
        statement=statement,
        evidence=evidence_for(name),
        needs="the laptop tier: python -m experiments run, then report --results results, then evidence",
    )
    for name, statement in _statements().items()
)
