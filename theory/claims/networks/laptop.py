"""Our claims about small trained networks: the six questions of the experiments, answered at a laptop's size.

They say nothing about the paper's tables, whose scale is another. Every one is worded so that the evidence can go
against it; a claim whose interval holds its bound is open, and counts as not reproduced.
"""

from theory.claims.networks.paper_tables import evidence_for
from theory.ledger.claim import Claim

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

# the paper's other tables, small: where ALTO meets more rivals than LAMB, who they are, and where it meets LAMB
_TABLES = {
    "vgg": "on digits at full batch, with a stack of convolutions in the place of VGG-16",
    "densenet": "on digits at full batch, with ResNet-20 in the place of DenseNet-169",
    "bert-pairs": "on made pairs of sentences, with a small random BERT",
    "bert-reviews": "on made reviews, with a small random BERT",
    "bert-entities": "on made sentences to tag, with a small random BERT",
    "bilstm": "on made sentences to tag at full batch, with a BiLSTM and alpha = -3, beta1 = 0.7",
}
_THERE = {
    "vgg": "LAMB, AdamW and SGD",
    "densenet": "LAMB, AdamW and SGD",
    "bert-pairs": "LAMB and AdamW",
    "bert-reviews": "LAMB and AdamW",
    "bert-entities": "LAMB, Adam, AdamW and AdaBelief",
    "bilstm": "LAMB, Adam, AdamW and AdaBelief",
}
_MET = {
    **_TABLES,
    "resnet34-large": "on digits at full batch, with ResNet-20 in the place of ResNet-34",
    "resnet34-small": "on digits at small batch, with ResNet-20 in the place of ResNet-34",
    "resnet50-mean": "in the mean over six batch sizes on digits, with a small network in the place of ResNet-50",
    "swimmer": "as PPO's optimizer on MuJoCo's swimmer",
    "ant": "as PPO's optimizer on MuJoCo's ant",
    "humanoid": "as PPO's optimizer on MuJoCo's humanoid",
}
_BATCHES = {
    "mean": "ALTO with beta1 = 0.999 ends better than LAMB in the mean over twelve batch sizes",
    "growth": "the lead of ALTO with beta1 = 0.999 over LAMB is larger at batches of a fifth of the data or more",
    "full": "ALTO with beta1 = 0.999 ends better than LAMB at full batch",
}
_PARTS = {
    "a-in-m": "Without a in m",
    "a-in-v": "Without a in v",
    "bias-correction": "Without bias correction",
    "layerwise": "Without the layerwise factor",
    "a": "Without a in m and v, as LAMB,",
    "a-and-bias-correction": "Without a and bias correction",
    "all-four": "Without all four parts",
}

_CLIPPED = {
    "digits-large": ("norm 1", "on handwritten digits at large batch"),
    "digits-tenth": ("norm 0.1", "on handwritten digits at large batch"),
    "digits-small": ("norm 1", "on handwritten digits at batch 8"),
    "text-large": ("norm 1", "on a character model at large batch"),
}

_RATES = {"tuned": "each at its own tuned learning rate", "equal": "both at one learning rate"}
_EXPLORED = {"": "alpha = -50", "-slight": "alpha = -5"}


def _statements() -> dict[str, str]:
    """The statement of each claim, by id."""
    tuned = "each with the learning rate that validation chooses"
    found = {
        f"ours-{name}-{data}-{size}": f"{words} {where} {when}, {tuned}."
        for data, where in _DATA.items()
        for size, when in _SIZES.items()
        for name, words in _RIVALS.items()
    }
    found |= {
        f"ours-alto-vs-lamb-{name}": f"ALTO ends better than LAMB {where}, {tuned}." for name, where in _MET.items()
    }
    for name, where in _TABLES.items():
        found[f"ours-alto-best-{name}"] = f"ALTO ends better than each of {_THERE[name]} {where}, {tuned}."
    found["ours-esgd-is-sgd-small"] = (
        f"ESGD and SGD end within one point of each other on digits at small batch, {tuned}."
    )
    found["ours-eadam-vs-adam-small"] = f"EAdam ends better than Adam on digits at small batch, {tuned}."
    for name, words in _BATCHES.items():
        found[f"ours-batch-scaling-{name}"] = f"Over the batch size, on digits: {words}, {tuned}."
    for name, words in _PARTS.items():
        found[f"ours-part-{name}"] = f"{words} ALTO ends worse on digits at large batch, {tuned}."
    found |= _clipping() | _landscape(tuned)
    found["ours-cost-of-a-step"] = "On a CPU, a fused step of ALTO takes at most a quarter longer than one of LAMB."
    found["ours-cost-vs-lamb"] = (
        "On a CPU, a step of training a small BERT takes at most a tenth longer with ALTO than with LAMB."
    )
    found["ours-cost-vs-lion"] = "On a CPU, a step of training a small BERT takes longer with ALTO than with Lion."
    return found


def _clipping() -> dict[str, str]:
    found = {}
    for name, (norm, where) in _CLIPPED.items():
        found[f"ours-clipping-{name}"] = f"Clipping the gradient to {norm} makes LAMB end better {where}."
        found[f"ours-clipping-confound-{name}"] = f"Clipping the gradient to {norm} makes ALTO end better {where}."
        found[f"ours-unfair-lead-{name}"] = f"ALTO clipped to {norm} ends better than LAMB without, {where}."
    return found


def _landscape(tuned: str) -> dict[str, str]:
    found = {}
    for size, when in _SIZES.items():
        found[f"ours-alpha-best-{size}"] = (
            f"The paper's alpha is within half a point of each other one of the grid, on the digits {when}."
        )
        found[f"ours-alpha-far-{size}"] = f"alpha = -90 (c = 0.9) ends worse than alpha = 0 on the digits {when}."
        found |= {
            f"ours-flatness-{size}-{how}{suffix}": f"{alpha} ends flatter than alpha = 0 in the filter-normalised "
            f"measure, on the digits {when}, {rate}."
            for how, rate in _RATES.items()
            for suffix, alpha in _EXPLORED.items()
        }
        found |= {
            f"ours-eigenvalue-{size}-{how}": "alpha = -50 ends with a smaller top eigenvalue than alpha = 0, on the "
            f"digits {when}, {rate}."
            for how, rate in _RATES.items()
        }
        found[f"ours-alpha-star-is-lamb-{size}"] = (
            "ALTO at alpha* and LAMB with beta2 := beta1 end within one point of each other on the digits "
            f"{when}, {tuned}."
        )
        found[f"ours-extrapolation-{size}"] = (
            "E as an extrapolation (c = -0.5: alpha = 5, beta1 = 0.9) ends better than LAMB on the digits "
            f"{when}, {tuned}."
        )
    found |= {
        f"ours-flatness-adamw-{how}{suffix}": f"EAdamW with {alpha} ends flatter than AdamW in the filter-normalised "
        f"measure, on the digits at small batch, {rate}."
        for how, rate in _RATES.items()
        for suffix, alpha in _EXPLORED.items()
    }
    found |= {
        f"ours-eigenvalue-adamw-{how}": "EAdamW with alpha = -50 ends with a smaller top eigenvalue than AdamW, on the "
        f"digits at small batch, {rate}."
        for how, rate in _RATES.items()
    }
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
