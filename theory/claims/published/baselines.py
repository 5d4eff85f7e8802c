"""Which LAMB the paper compares with, as far as its numbers tell (Tables 3, 4, 6, 7, 15, 16 and 18)."""

import math
from statistics import mean

from theory.claims.published.arithmetic import Computed, claim
from theory.claims.published.printed import HEADLINE, average, list_of, one, rows

READS = ("published.json",)
_TABLE_3, _TABLE_4, _TABLE_16, _NUS = (
    "Tables 3 and 10", "Table 4", "Tables 5a and 16", "README of NUS-HPC-AI-Lab/pytorch-lamb",
)  # fmt: skip
_BERT_BASE = 110e6  # parameters (Devlin et al. 2019, Section 3)


def _ablation() -> tuple[dict[str, float], float]:
    """Table 7, and the standard error of a difference in it: at most that of its two lowest numbers but the last."""
    row = one("Table 7", 16384)
    labels = sorted((label for label in row.values if label != "without all four"), key=row.values.__getitem__)
    return row.values, row.lead_error(labels[0], labels[1])


def _table_7_against_3() -> Computed:
    values, error = _ablation()
    printed = one(_TABLE_3, 16384, "CIFAR-10,").values
    gap = printed["ALTO"] - printed["LAMB"]
    corrected = values["ALTO"] - values["LAMB"]
    uncorrected = values["without bias correction"] - values["without a, bias correction"]
    said = (
        f"Table 3: ALTO {printed['ALTO']:.2f}, LAMB {printed['LAMB']:.2f}, a lead of {gap:.2f}. If its LAMB has bias "
        f"correction, Table 7 has the same optimizer at {values['LAMB']:.2f}, and E is worth {corrected:.2f}. If not, "
        f"Table 7 has it at {values['without a, bias correction']:.2f}; E is worth {uncorrected:.2f} where both lack "
        f"bias correction, and the lead mixes the two. Each difference has a standard error of at most {error:.2f}."
    )
    half = gap / 2 + error  # "about": to one standard error
    holds = max(corrected, uncorrected) < half and values["LAMB"] - printed["LAMB"] > 2 * error
    values = {"corrected": corrected, "uncorrected": uncorrected, "seven": values["LAMB"], "three": printed["LAMB"]}
    values["error"] = error
    return holds, said, {"lead": gap, **values}


def _bias_correction() -> Computed:
    values, error = _ablation()
    with_e = values["ALTO"] - values["without bias correction"]
    without = values["LAMB"] - values["without a, bias correction"]
    adam = one(_TABLE_3, 16384, "CIFAR-10,").values["Adam"]
    said = (
        f"Bias correction is worth {without:.2f} without E and {with_e:.2f} with it, E between corrected optimizers "
        f"{values['ALTO'] - values['LAMB']:.2f} (standard errors at most {error:.2f}). Without all four parts ALTO is "
        f"Adam without bias correction: {values['without all four']:.2f}, where Table 3 has Adam at {adam:.2f}."
    )
    return (
        min(with_e, without) > values["ALTO"] - values["LAMB"],
        said,
        {
            "without": without,
            "with": with_e,
            "e": values["ALTO"] - values["LAMB"],
            "other": values["without bias correction"] - values["without a, bias correction"],
            "error": error,
        },
    )


def _parts_do_not_add() -> Computed:
    values, error = _ablation()
    in_m, in_v, both = (values["ALTO"] - values[key] for key in ("without a in m", "without a in v", "LAMB"))
    said = (
        f"Leaving out a in m costs {in_m:.2f}, in v {in_v:.2f}, in both {both:.2f}: {in_m + in_v - both:.2f} less than "
        f"the two together, with a standard error of at most {math.sqrt(2) * error:.2f}."
    )
    return both < min(in_m, in_v), said, {"m": in_m, "v": in_v, "both": both}


def _public_lamb() -> Computed:
    public = [row for row in rows() if row.source == _NUS]
    papers = [one(_TABLE_4, row.batch) for row in public]
    theirs, alto, lamb = (
        mean(row.values[label] for row in table)
        for table, label in ((public, "LAMB (NUS)"), (papers, "ALTO"), (papers, "LAMB"))
    )
    error = mean(math.hypot(a.error("LAMB (NUS)"), b.error("ALTO")) for a, b in zip(public, papers, strict=True))
    said = (
        f"Batches of {', '.join(f'{row.batch // 1000}K' for row in public)}: public LAMB "
        f"{list_of(row.values['LAMB (NUS)'] for row in public)} (mean {theirs:.2f}); Table 4 has ALTO at "
        f"{list_of(row.values['ALTO'] for row in papers)} (mean {alto:.2f}) and LAMB at mean {lamb:.2f}. The standard "
        f"error of a difference of means is at most {error:.2f}. The public runs have "
        f"{public[0].what.split('seed 42, ')[1]}; the paper does not give its own."
    )
    return (
        abs(theirs - alto) < error,
        said,
        {"public": theirs, "alto": alto, "lamb": lamb, "sizes": len(public), "error": error},
    )


def _two_tables() -> Computed:
    here = one("Table 15", 16384, "VGG-16, CIFAR-100")
    beside = [one(_TABLE_16, batch) for batch in (15_000, 25_000)]
    said = (
        f"Lead at 16384 in Table 15: {here.lead('LAMB'):.2f} (standard error at most {here.lead_error('LAMB'):.2f}). "
        f"Table 16, at 15K and 25K: {list_of(row.lead('LAMB') for row in beside)}. ALTO {here.values['ALTO']:.2f} and "
        f"LAMB {here.values['LAMB']:.2f} against {list_of(row.values['ALTO'] for row in beside)} and "
        f"{list_of(row.values['LAMB'] for row in beside)}."
    )
    return (
        here.lead("LAMB") > max(row.lead("LAMB") for row in beside),
        said,
        {
            "here": here.lead("LAMB"),
            "most": max(row.lead("LAMB") for row in beside),
            "error": here.lead_error("LAMB"),
        },
    )


def _full_batch() -> Computed:
    some = [row for row in rows() if row.source == _TABLE_16]
    rest = [row for row in some if row.batch < max(other.batch for other in some)]
    error = max(row.lead_error("LAMB") for row in some)
    said = (
        f"Leads from batch {some[0].batch} on: {list_of((row.lead('LAMB') for row in some), '+')}; without the full "
        f"batch: {average(rest, 'LAMB').words()}. Standard error of each at most {error:.2f}."
    )
    holds = max(row.lead("LAMB") for row in rest) < HEADLINE < max(row.lead("LAMB") for row in some)
    return holds, said, {"full": some[-1].lead("LAMB"), "rest": max(row.lead("LAMB") for row in rest)}


def _last_level() -> Computed:
    level = max((row for row in rows() if row.source == "Tables 5b and 18"), key=lambda row: row.values["LAMB"])
    end = one("Table 15", 16384, "VGG-16, CIFAR-100")
    above = end.values["LAMB"] - float(level.what.split()[2])
    said = (
        f"{level.what}: LAMB {level.values['LAMB']:.0f} s, ALTO {level.values['ALTO']:.0f} s, a ratio of "
        f"{level.values['LAMB'] / level.values['ALTO']:.2f}. In Table 15 LAMB ends at {end.values['LAMB']:.2f} %, with "
        f"a standard error of {end.error('LAMB'):.2f}."
    )
    return abs(above) < end.error("LAMB"), said, {"above": above, "error": end.error("LAMB")}


def _memory() -> Computed:
    some = [row for row in rows() if row.source == "Table 6"]
    numbers = [row.lead() * 2**20 / 4 / _BERT_BASE for row in some]
    said = (
        f"ALTO over LAMB: {', '.join(f'{row.lead():.0f}' for row in some)} MiB at batches of "
        f"{', '.join(str(row.batch) for row in some)}, or {list_of(numbers)} numbers of 4 bytes per parameter."
    )
    return min(numbers) > 5, said, {"least": min(numbers), "most": max(numbers)}


CLAIMS = (
    claim(
        "published-table-7-against-3",
        "By Table 7, E makes about half of ALTO's lead over LAMB in Table 3 on CIFAR-10, or less: it depends on which "
        "LAMB that is.",
        _table_7_against_3,
        "Tables 3 and 7",
        "The lead in Table 3 is {lead:.2f} points. E adds {uncorrected:.2f} if the paper's LAMB has no bias "
        "correction, else {corrected:.2f}; in that case the same LAMB has {three:.2f} % in Table 3 and {seven:.2f} % "
        "in Table 7. Each difference has a standard error of up to {error:.2f}.",
    ),
    claim(
        "published-bias-correction",
        "By Table 7 bias correction is worth more than E is between optimizers that both have it.",
        _bias_correction,
        "Tables 3 and 7",
        "Bias correction: {without:.2f} points without E, {with:.2f} with it. E: {e:.2f} between corrected optimizers, "
        "{other:.2f} between others. Each has a standard error of up to {error:.2f}.",
    ),
    claim(
        "published-parts-do-not-add",
        "By Table 7 leaving a out of both m and v costs less than leaving it out of either.",
        _parts_do_not_add,
        "Table 7",
        "Without a in m {m:.2f} points are lost, in v {v:.2f}, in both {both:.2f}.",
    ),
    claim(
        "published-public-lamb",
        "A public LAMB with Table 4's learning rates and warm-up has the mean accuracy that Table 4 has for ALTO.",
        _public_lamb,
        "Table 4 and on the README of NUS-HPC-AI-Lab/pytorch-lamb",
        "Mean of {sizes:.0f} batches: public LAMB {public:.2f} % (with label smoothing and weight decay 1.5), the "
        "paper's ALTO {alto:.2f} %, LAMB {lamb:.2f} %; a difference has a standard error of up to {error:.2f}.",
    ),
    claim(
        "published-vgg-in-two-tables",
        "For VGG-16 on CIFAR-100, Table 15's lead is above Table 16's leads at the two batch sizes around it.",
        _two_tables,
        "Tables 15 and 16",
        "{here:.2f} against at most {most:.2f} points, with a standard error of up to {error:.2f}.",
    ),
    claim(
        "published-full-batch",
        "Table 16 has a lead above 2.5 points at full batch alone.",
        _full_batch,
        "Table 16",
        "{full:.2f} points at full batch, at most {rest:.2f} elsewhere.",
    ),
    claim(
        "published-last-level",
        "The last level of Table 18 is within one standard error of where Table 15 has LAMB end.",
        _last_level,
        "Tables 15 and 18",
        "LAMB ends {above:.2f} points above it; the standard error is {error:.2f}.",
    ),
    claim(
        "published-memory",
        "By Table 6 ALTO needs more than five numbers per parameter beyond LAMB; E needs one.",
        _memory,
        "Table 6",
        "{least:.1f} to {most:.1f} numbers of 4 bytes per parameter.",
    ),
)
