"""What the abstract's 2.5 % is an average of (paper, abstract; Tables 3, 4, 8, 9, 15, 16 and 20)."""

from theory.claims.published.arithmetic import Computed, claim, finding
from theory.claims.published.printed import HEADLINE, average, large_batch, list_of, rows
from theory.ledger.claim import Claim
from theory.ledger.evidence import published

READS = ("published.json",)
_LARGE = "Tables 3, 4, 9, 15, 16 and 20"
_FEW = 3
"""How many of the largest leads are set aside to see what the others say."""


def _over_lamb() -> Computed:
    some = sorted(large_batch(), key=lambda row: row.lead("LAMB"))
    found, rest = average(some, "LAMB"), average(some[:-_FEW], "LAMB")
    largest = "; ".join(f"{row.what.split(', 90')[0]}: {row.lead('LAMB'):+.2f}" for row in some[-_FEW:])
    holds = found.percent >= HEADLINE > found.points and max(found.median_points, found.median_percent, rest.points) < 1
    said = f"{len(some)} rows: {found.words()}. Without the {_FEW} largest ({largest}): {rest.words()}."
    values = {"rows": len(some), "mean": found.points, "percent": found.percent, "median": found.median_points}
    return holds, said, {**values, "rest": rest.points}


def _over_best() -> Computed:
    found = average(large_batch())
    said = f"{len(large_batch())} rows: {found.words()}."
    return (
        max(found.named().values()) < HEADLINE,
        said,
        {"mean": found.points, "percent": found.percent, "median": found.median_points},
    )


def _sampling() -> Computed:
    accuracies = [row for row in large_batch() if row.n]
    counts = [
        sum(row.lead(rival(row)) > 2 * row.lead_error(rival(row)) for row in accuracies)
        for rival in (lambda _: "LAMB", lambda row: row.best_rival())
    ]
    said = (
        f"Of {len(accuracies)} rows of accuracies, {counts[0]} leads over LAMB and {counts[1]} over the best rival are "
        f"larger than twice the standard error of a difference on different test examples, an upper bound for shared "
        f"ones. F1 scores ({len(large_batch()) - len(accuracies)} rows) have no such error."
    )
    return max(counts) < len(accuracies) / 2, said, {"rows": len(accuracies), "lamb": counts[0], "best": counts[1]}


def _best() -> Computed:
    behind = [row for row in large_batch() if row.lead() <= 0]
    said = "; ".join(f"{row.source}, {row.what}: {row.lead():+.2f} against {row.best_rival()}" for row in behind)
    return (
        len(behind) == 1,
        f"All {len(large_batch())} rows but {len(behind)}: {said}.",
        {"rows": len(large_batch()), "behind": len(behind)},
    )


def _small_batch() -> Computed:
    pairs = [
        (row, of, base)
        for row in rows()
        for of, base in (("ESGD", "SGD"), ("EAdam", "Adam"))
        if {of, base} <= set(row.values)
    ]
    told = [
        f"{of} over {base}, {row.what.split(', batch')[0]}: {row.lead(base, of):+.2f} "
        f"(standard error at most {row.lead_error(base, of):.2f})"
        for row, of, base in pairs
    ]
    within = [abs(row.lead(base, of)) < 2 * row.lead_error(base, of) for row, of, base in pairs]
    layerwise = [row.lead("LAMB") for row, of, _ in pairs if of == "ESGD" and {"ALTO", "LAMB"} <= set(row.values)]
    told.append(f"ALTO over LAMB in the same rows: {list_of(layerwise, '+')}")
    values = {"pairs": len(pairs), "least": min(layerwise), "most": max(layerwise)}
    return bool(pairs) and all(within), "; ".join(told) + ".", values


def _averages() -> dict[str, float]:
    """Every average of all large-batch rows, or of those of a table, over LAMB and over the best rival, by name."""
    groups = {f"all {len(large_batch())} rows": large_batch()}
    for row in large_batch():
        groups.setdefault(row.source, []).append(row)
    return {
        f"{kind} over {rival or 'the best rival'}, {name}": number
        for name, group in groups.items()
        for rival in ("LAMB", "")
        for kind, number in average(group, rival).named().items()
    }


def _abstract() -> Computed:
    """Whether an average of the large-batch rows rounds to the abstract's number."""
    found = _averages()
    fitting = [name for name, number in found.items() if round(number, 1) == HEADLINE]
    first = ", ".join(f"{name} {number:.2f}" for name, number in list(found.items())[:8])
    return (
        bool(fitting),
        f"of {len(set(found.values()))} different averages {HEADLINE:g} is: {'; '.join(fitting) or 'none'}. {first}",
        {"fitting": len(fitting)},
    )


def _found() -> str:
    found, over, best = _averages(), average(large_batch(), "LAMB"), average(large_batch())
    fitting = [name for name, number in found.items() if round(number, 1) == HEADLINE]
    return (
        f"Computed: {len(fitting)} of {len(set(found.values()))} averages of the leads is {HEADLINE:g}: "
        f"{'; '.join(fitting)}. {len(large_batch())} rows: mean {over.points:.2f} points, median "
        f"{over.median_points:.2f}; over the best rival {best.points:.2f}, {best.median_points:.2f}."
    )


CLAIMS = (
    Claim(
        id="abstract-2.5-percent",
        source="paper, abstract",
        statement="ALTO raises test accuracy by 2.5 % on average over the state of the art in large-batch training.",
        found=_found(),
        evidence=(published("averages of the large-batch rows", lambda _: finding(_abstract())),),
        needs="training: whether the printed lead over LAMB is that of E or of the baseline",
    ),
    claim(
        "published-headline-mean",
        "Few rows carry the abstract's 2.5 %: the median gain over LAMB in the large-batch rows is below one point.",
        _over_lamb,
        _LARGE,
        "{rows:.0f} rows: mean {mean:.2f} points ({percent:.2f} %), median {median:.2f} points; without the "
        f"{_FEW} largest leads the mean is {{rest:.2f}} points.",
    ),
    claim(
        "published-headline-best-rival",
        "Over each row's best rival no mean or median of the large-batch rows reaches 2.5, in points or in percent.",
        _over_best,
        _LARGE,
        "Over the best rival: mean {mean:.2f} points ({percent:.2f} %), median {median:.2f} points.",
    ),
    claim(
        "published-sampling-error",
        "Less than half of the large-batch leads exceed twice the largest sampling error that their test sets allow.",
        _sampling,
        _LARGE,
        "Of {rows:.0f} leads {lamb:.0f} over LAMB and {best:.0f} over the best rival do; it leaves the others open.",
    ),
    claim(
        "published-best-at-large-batch",
        "ALTO has the highest number in all large-batch rows but one.",
        _best,
        _LARGE,
        "True of {rows:.0f} rows but {behind:.0f}.",
    ),
    claim(
        "published-small-batch",
        "At small batch no difference that E makes to SGD or Adam exceeds twice the largest possible sampling error.",
        _small_batch,
        "Table 8",
        "True of {pairs:.0f} differences. ALTO's leads over LAMB in these rows are {least:+.2f} to {most:+.2f} points.",
    ),
)
