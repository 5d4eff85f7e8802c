"""The theory's measured results as LaTeX tables: worst cases, rates, the certificates of linear regret."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theory.claims.behaviour.margins import BATCH_ONE
from theory.claims.theorems.linear_regret import case
from theory.ledger.claim import Entry
from theory.rates.records import Verdict
from theory.tex.book import Book
from theory.tex.markup import grouped_table, interval, number, plain, table, words
from theory.tex.results import StaleError, read
from theory.theorems.linear_regret import LONG, SHORT

RATES = ("convex", "linear", "floor", "regret", "nonconvex", "batch", "pl")
SEVERITY = (Verdict.AGREES, Verdict.UNDECIDED, Verdict.DIFFERS, Verdict.VIOLATED)


def add_regret(book: Book, ledger: Sequence[Entry]) -> None:
    """The linear-regret problem: certified drifts of all instances, and runs of the short ones.

    Raises:
        StaleError: the ledger has no certificate or no run of an instance.
    """
    entry = next(entry for entry in ledger if entry.claim.id == "ours-linear-regret-counterexample")
    known = {name: value for result in entry.results for name, value in result.values.items()}
    certified, played = [], []
    for setting in (*SHORT, *LONG):
        for layerwise in (False, True):
            who = case(setting, layerwise=layerwise)
            cells = [f"${setting.n}$", f"${float(setting.alpha):g}$", "ALTO" if layerwise else "EAdam"]
            try:
                certified.append([*cells, f"$\\le {known[f'{who}: the drift is negative']:.4f}$"])
                if setting in SHORT:
                    found = [known[f"{who}: {name}"] for name in ("R/T", "slope", "enforced", "bound/R")]
                    played.append([*cells, *(number(value, 3) for value in found)])
            except KeyError as missing:
                raise StaleError(f"the ledger has no {missing}: python -m theory verify") from None
    book.file("regret", table("rrlr", ["$n$", r"$\alpha$", "method", "certified"], certified))
    head = ["$n$", r"$\alpha$", "method", "$R(T)/T$", "slope", r"enforced: $R(T)/\sqrt T$", "its bound over $R(T)$"]
    book.file("regret-runs", table("rrlrrrr", head, played))


def add_batch_one(book: Book, ledger: Sequence[Entry]) -> None:
    """The largest stable rates of regression with one sample per step, by setting and momentum.

    Raises:
        StaleError: the ledger does not have them.
    """
    entry = next(entry for entry in ledger if entry.claim.id == "ours-batch-one")
    known = {name: value for result in entry.results for name, value in result.values.items()}
    rows = []
    for alpha, beta1 in BATCH_ONE:
        names = [f"beta2={beta2:g}, alpha={alpha:g}, beta1={beta1:g}" for beta2 in (0.0, 0.9)]
        if not known.keys() >= set(names):
            raise StaleError("the ledger has no rates of ours-batch-one: python -m theory verify")
        rows.append([f"$({alpha:g},\\,{beta1:g})$", *(number(known[name]) for name in names)])
    book.file("batch-one", table("lrr", [r"$(\alpha,\beta_1)$", r"$\beta_2 = 0$", r"$\beta_2 = 0.9$"], rows))


def add_worst_case(book: Book, results: Path) -> None:
    """How often the closed forms held, the residuals, one grid, the tuned steps, and the number of certificates."""
    folder, remedy = results / "worst-case", "python -m theory worst-case --full --out results/worst-case"
    stored = read(folder / "rows.json", remedy)
    rows = [dict(zip(stored["columns"], row, strict=True)) for row in stored["rows"]]
    book.value("worst/rows", str(len(rows)))
    book.value("worst/untrusted", str(sum(not row["trusted"] for row in rows)))
    solved = [row for row in rows if row["dual"] is not None]
    book.value("worst/gap", number(max(abs(row["gap"]) for row in solved if row["trusted"]), 2))
    book.value("worst/tolerance", number(stored["config"]["holds"], 1))
    for problem, key in (("smooth convex", "convex"), ("smooth non-convex", "nonconvex")):
        compared = [row for row in solved if row["problem"] == problem and row["holds"] is not None and row["trusted"]]
        held = [row for row in compared if row["holds"]]
        book.value(f"worst/{key}/compared", str(len(compared)))
        book.value(f"worst/{key}/held", str(len(held)))
        failed = [row for row in compared if not row["holds"]]
        book.value(f"worst/{key}/failed", str(len(failed)))
        if failed:
            book.value(f"worst/{key}/failed-least-c", plain(min(row["c"] for row in failed)))
        elif key == "convex":
            raise StaleError("no closed form fails in results/worst-case, and the paper says that some do")
    book.value("worst/certificates", str(len(list((folder / "certificates").glob("*.json")))))
    book.file("worst", _grid(rows))
    tuned = sorted(stored["tuned"], key=lambda row: (row["N"], row["worst_case"]))
    cells = [[plain(t["N"]), plain(t["c"]), plain(t["beta1"]), number(t["eta"]), number(t["worst_case"])]
             for t in tuned]  # fmt: skip
    head = ["$N$", "$c$", r"$\beta_1$", r"best $\eta L$", "worst case"]
    book.file("tuned", table("rrrrr", head, cells))


def _grid(rows: Sequence[Mapping[str, Any]]) -> str:
    """Smooth convex, no momentum, eta = 1/L: the worst case by c and (beta1, N); bold where the closed form fails."""
    chosen = {
        (row["beta1"], row["N"], row["c"]): row
        for row in rows
        if row["problem"] == "smooth convex" and row["beta2"] == 0 and row["dual"] is not None
    }
    cs = [c for c in (-0.5, -0.25, 0.0, 0.05, 0.25, 0.5, 0.75) if any(key[2] == c for key in chosen)]
    at_zero = {key[1]: row for key, row in chosen.items() if key[2] == 0}  # one case for all beta1
    lines = []
    for beta1, N in sorted({key[:2] for key in chosen if key[1] in {5, 10}}):
        found = [at_zero.get(N) if c == 0 else chosen.get((beta1, N, c)) for c in cs]
        cells = ["" if row is None else _worst(row) for row in found]
        lines.append([plain(beta1), str(N), *cells])
    return table("rr" + "r" * len(cs), [r"$\beta_1$", "$N$", *(f"$c={c:g}$" for c in cs)], lines)


def _worst(row: Mapping[str, Any]) -> str:
    value = f"{row['dual']:.5f}"
    return rf"\textbf{{{value}}}" if row["holds"] is False else value


def add_rates(book: Book, results: Path) -> None:
    """The table ``rates`` with a line per method, ``rates-summary``, the totals, and the throughput of the runner.

    A row that follows from a sibling's is in no count.

    Raises:
        StaleError: a study is missing.
    """
    remedy = "python -m theory rates --full --out results/rates"
    studies = [read(results / "rates" / f"{name}.json", remedy) for name in RATES]
    rows = [row for study in studies for row in study["rows"] if not row.get("derived")]
    counts = Counter(row["verdict"] for row in rows)
    book.value("rates/rows", str(len(rows)))
    for verdict in Verdict:
        book.value(f"rates/{verdict}", str(counts[verdict]))
    proved = [row["bound_over_measured"] for row in rows if row["proved"]]
    book.value("rates/proved", str(len(proved)))
    book.value("rates/least", number(min(proved, default=None)))
    throughput = read(results / "rates" / "throughput.json", remedy)
    book.value("throughput/least", number(throughput["at_least"], 2))
    book.value("throughput/seeds", str(throughput["seeds"]))
    head = ["study", "rows", *(verdict.value for verdict in SEVERITY[:3]), "its claim is"]
    book.file("rates-summary", table("lrrrrl", head, [_summary(study) for study in studies]))
    groups = {words(study["title"]): _study(study) for study in studies}
    head = ["quantity", "method", "agree", "predicted", "allowed", "measured", "ratio"]
    book.file("rates", grouped_table((0.24, 0.2, "r", "r", "r", "l", "r"), head, groups))


def _summary(study: Mapping[str, Any]) -> list[str]:
    """A study's title, its rows by verdict, and the verdict of its claim."""
    counts = Counter(row["verdict"] for row in study["rows"] if not row.get("derived"))
    numbers = [str(counts[verdict]) for verdict in SEVERITY[:3]]
    title = rf"\parbox[t]{{.46\textwidth}}{{\raggedright {words(study['title'])}}}"
    return [title, str(counts.total()), *numbers, rf"\says{{rates-{study['study']}}}"]


def _study(study: Mapping[str, Any]) -> list[list[str]]:
    """One line for all rows that differ only in alpha and beta1: the one furthest from its prediction."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in study["rows"]:
        groups.setdefault((row["quantity"], row["variant"], row["method"]), []).append(row)
    lines = []
    for (quantity, variant, method), rows in groups.items():
        row = max(rows, key=lambda row: (SEVERITY.index(Verdict(row["verdict"])), _excess(row)))
        ratios = [row["bound_over_measured"] for row in rows if row["bound_over_measured"] is not None]
        agreeing = sum(row["verdict"] == Verdict.AGREES for row in rows)
        name = f"{method}, {variant}" if variant else method
        measured = number(row["measured"], 3)
        if row["low"] != row["high"]:
            measured += f" {interval(row, 3)}"
        sign = {"=": "$=$", "<=": r"$\le$", "~": r"$\approx$"}[row["relation"]]
        lines.append([
            words(quantity), words(name), f"{agreeing} of {len(rows)}", f"{sign} {number(row['predicted'], 3)}",
            plain(row["tolerance"]), measured, number(min(ratios), 3) if ratios else "",
        ])  # fmt: skip
    return lines


def _excess(row: Mapping[str, Any]) -> float:
    gap = row["measured"] - row["predicted"]
    return gap if row["relation"] == "<=" else abs(gap)
