"""Plain words and numbers as LaTeX."""

import math
import re
from collections.abc import Mapping, Sequence

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "%": r"\%",
    "&": r"\&",
    "$": r"\$",
    "_": r"\_\allowbreak{}",
    "^": r"\^{}",
    "~": r"\textasciitilde{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    "/": r"\slash{}",
    "-": "-",
    "−": r"$-$",
    "–": "--",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "×": r"$\times$",
    "…": r"\dots{}",
}
GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma",
    "tau", "phi", "chi", "omega", "zeta",
)  # fmt: skip
_LETTERS = "|".join(GREEK)
# A Greek letter by name, with an index glued to it (beta1, omega2) or by an underscore (theta_k, lambda_k).
_NAME = re.compile(rf"(?<![A-Za-z\\])({_LETTERS})(\*)?(?:_?(\d+|(?<=_)[a-zA-Z](?![A-Za-z])))?(?![A-Za-z])")
# A norm or an absolute value, |g_k|_inf or |grad f|^2; and the gradient of f at a point, grad f(theta_k).
_NORM = re.compile(r"\|([^|$;=<>]{1,30})\|(_inf|_2)?(?:\^(\d))?")
_GRADIENT = re.compile(r"(?<![A-Za-z])grad f(?:\((\w+)\))?(?![A-Za-z])")
# The name of a claim, or of anything else that is spelt with hyphens, is no formula: ours-alpha-star, any-mu.
_NAMED = re.compile(r"(?<![\w-])[a-z][a-z0-9]+(?:-(?:[a-z][a-z0-9]+|\d+(?:\.\d+)?))+(?![\w-])")
# A single letter with an index: g_k, h_0, D_1, v_k; and eps1, eps2, eps3.
_INDEXED = re.compile(r"(?<![A-Za-z\\_{])([A-Za-z])_(\d+|[a-zA-Z]|\{[^{}]*\})(?![A-Za-z{])")
_EPS = re.compile(r"(?<![A-Za-z])eps([123])?(?![A-Za-z0-9])")
_SIGNS = (("+-", r"\pm"), ("-+", r"\mp"), ("<=", r"\le"), (">=", r"\ge"), ("!=", r"\ne"), ("->", r"\to"))
_MINUS = re.compile(r"(?<![\w.)\]-])-(?=\.?\d)")
_POWER = re.compile(r"\^(\{[^{}]*\}|\([^()]*\)|-?\d+|[A-Za-z])")
_EXPONENT = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?)e([+-]?\d+)(?!\w)")


def words(text: str) -> str:
    """Plain text: what LaTeX would read as a command is escaped, Greek letters and signs by name become symbols."""
    kept: list[str] = []

    def keep(latex: str) -> str:
        kept.append(latex)
        return f"\x00{len(kept) - 1}\x01"

    text = _NAMED.sub(lambda m: keep(code(m[0])), text)
    text = re.sub(r"(?<![A-Za-z])f\*", lambda _: keep("$f^*$"), text)
    text = _NORM.sub(lambda m: keep(_norm(*m.groups())), text)
    text = _GRADIENT.sub(lambda m: keep(f"${_gradient(m[1])}$"), text)
    text = _POWER.sub(lambda m: keep(f"$^{{{m[1].strip('{}()')}}}$"), text)
    text = _EXPONENT.sub(lambda m: keep(rf"${m[1]}\cdot10^{{{int(m[2])}}}$"), text)
    for sign, command in _SIGNS:
        text = text.replace(sign, keep(f"${command}$"))
    text = _MINUS.sub(keep("$-$"), text)
    text = re.sub(r"sqrt\((\w+)\)", lambda m: keep(rf"$\sqrt{{{formula(m[1])}}}$"), text)
    text = text.replace("sqrt(", keep(r"$\sqrt{\vphantom{x}}$") + "(")
    text = _EPS.sub(lambda m: keep(rf"$\epsilon{f'_{m[1]}' if m[1] else ''}$"), text)
    text = _NAME.sub(lambda m: keep(f"$\\{m[1]}{'^*' if m[2] else ''}{f'_{{{m[3]}}}' if m[3] else ''}$"), text)
    text = _INDEXED.sub(lambda m: keep(f"${m[1]}_{{{m[2].strip('{}')}}}$"), text)
    escaped = code(text)
    return re.sub("\x00(\\d+)\x01", lambda m: kept[int(m[1])], escaped)


def formula(text: str) -> str:
    """A short ASCII formula as LaTeX for math mode: Greek letters, indices, powers, roots and the gradient of f."""
    text = _GRADIENT.sub(lambda m: _gradient(m[1]), text)
    text = re.sub(r"sqrt\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(r"sqrt (\w+)", r"\\sqrt{\1}", text)
    text = re.sub(
        rf"(?<![A-Za-z\\])({_LETTERS})(\d)?(?![A-Za-z])", lambda m: rf"\{m[1]}" + (f"_{m[2]}" if m[2] else ""), text
    )
    text = re.sub(r"(?<![A-Za-z\\])eps(\d)?(?![A-Za-z])", lambda m: r"\epsilon" + (f"_{m[1]}" if m[1] else ""), text)
    text = re.sub(r"(?<![A-Za-z\\])([a-z]{2,}(?: [a-z]{2,})*)(?![A-Za-z{])", r"\\text{\1}", text)
    for sign, command in _SIGNS:
        text = text.replace(sign, command)
    return text


def _norm(inside: str, kind: str | None, power: str | None) -> str:
    """A norm, or an absolute value where what is inside is a number."""
    scalar = re.fullmatch(r"c|x|alpha|gap .*", inside) and not kind
    index = {"_inf": r"_\infty", "_2": "_2", None: ""}[kind]
    left, right = ("|", "|") if scalar else (r"\|", r"\|")
    return f"${left}{formula(inside)}{right}{index}{f'^{power}' if power else ''}$"


def _gradient(point: str | None) -> str:
    return r"\nabla f" + (f"({formula(point)})" if point else "")


def code(text: str) -> str:
    """Text letter by letter, such as a file's name: escaped, and nothing turned into a symbol."""
    return "".join(SPECIAL.get(letter, letter) for letter in text).replace("--", "-{}-")


def statement(text: str) -> str:
    """A claim's text: plain words with LaTeX formulas between dollar signs.

    Raises:
        ValueError: a dollar sign has no partner.
    """
    parts = text.split("$")
    if len(parts) % 2 == 0:
        raise ValueError(f"an odd number of dollar signs: {text!r}")
    return "".join(f"${part}$" if i % 2 else words(part) for i, part in enumerate(parts))


def number(value: float | None, digits: int = 4) -> str:
    """A number to ``digits`` significant digits, in math mode, with a power of ten where it is very large or small."""
    if value is None:
        return "--"
    if math.isinf(value):
        return r"$\infty$" if value > 0 else r"$-\infty$"
    if value == 0:
        return "$0$"
    exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    if -4 <= exponent < max(digits, 5):
        return f"${value:.{max(digits - 1 - exponent, 0)}f}$"
    return rf"${value / 10**exponent:.{max(digits - 2, 0)}f}\cdot10^{{{exponent}}}$"


def fixed(value: float, digits: int = 2, *, sign: bool = False) -> str:
    """A number with ``digits`` decimals, in math mode; with ``sign`` a plus sign where it is positive."""
    return f"${value:{'+' if sign else ''}.{digits}f}$"


def decimals(low: float, high: float) -> int:
    """Decimals at which an interval has two digits of width: at least two, at most five."""
    width = high - low
    return 2 if width <= 0 else min(max(2, 1 - math.floor(math.log10(width))), 5)


def plus_minus(mean: float, half: float, digits: int = 2) -> str:
    """A mean with the half width of its interval."""
    return rf"${mean:.{digits}f} \pm {half:.{digits}f}$"


def plain(value: float) -> str:
    """A setting as it was given: shortest form, in math mode."""
    return f"${value:g}$"


def count(value: float, digits: int = 4) -> str:
    """A number; a whole one without decimals."""
    return f"${value:.0f}$" if value == round(value) and abs(value) < 1e7 else number(value, digits)


def interval(entry: Mapping[str, float], digits: int = 2, *, within: tuple[float, float] | None = None) -> str:
    """``[low, high]`` of an entry with these keys, cut to the range that is possible if one is given."""
    low, high = entry["low"], entry["high"]
    if within is not None:
        low, high = max(low, within[0]), min(high, within[1])
    return f"$[{low:.{digits}f},\\,{high:.{digits}f}]$"


def table(columns: str, head: list[str], rows: list[list[str]]) -> str:
    """A ruled table of cells that are LaTeX already.

    Raises:
        ValueError: a row has another number of cells than the head.
    """
    if any(len(row) != len(head) for row in rows):
        raise ValueError(f"rows of {sorted({len(row) for row in rows})} cells under a head of {len(head)}")
    lines = [" & ".join(cells) + r" \\" for cells in rows]
    return "\n".join(
        [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", " & ".join(head) + r" \\", r"\midrule", *lines,
         r"\bottomrule", r"\end{tabular}", ""]
    )  # fmt: skip


def long_table(widths: Sequence[float | str], head: list[str], rows: list[list[str]]) -> str:
    """A ruled table over several pages, its head repeated.

    Args:
        widths: of the columns, as shares of the line (text is broken; a negative one is set flush right), or ``l``,
            ``r``, ``c`` for a column as wide as its content (numbers: they never stick out of their cell).
        head: the cells of the head.
        rows: cells that are LaTeX already.

    Returns:
        The table, no wider than the line: what does not fit into a cell is an overfull box, which LaTeX reports.

    Raises:
        ValueError: the widths do not fit the line or the head, or a row has another number of cells than the head.
    """
    shares = sum(abs(width) for width in widths if not isinstance(width, str))
    if len(widths) != len(head) or shares > 1 + 1e-9:
        raise ValueError(f"{len(widths)} widths of sum {shares:g} for {len(head)} columns of one line")
    inner = table("", head, rows).splitlines()
    return _long(widths, inner[1:4], inner[4:-2])


SHORT = 8
"""The most rows of a group that stays on one page; longer ones may continue on the next."""


def grouped_table(widths: Sequence[float | str], head: list[str], groups: Mapping[str, list[list[str]]]) -> str:
    """A ruled table over several pages whose rows stand below headings; no heading is at the end of a page.

    Args:
        widths: as in :func:`long_table`.
        head: the cells of the head.
        groups: rows of cells that are LaTeX already, by the LaTeX of their heading.

    Returns:
        The table.
    """
    lines: list[str] = []
    for heading, rows in groups.items():
        inner = table("", head, rows).splitlines()[4:-2]
        # A box that is broken, and that has no width, so that it widens no column.
        box = rf"\rlap{{\parbox[t]{{.95\linewidth}}{{\raggedright\emph{{{heading}}}}}}}"
        title = rf"\multicolumn{{{len(head)}}}{{l}}{{{box}}} \\*"
        kept = len(inner) - 1 if len(inner) <= SHORT else 1
        lines += [r"\addlinespace"] * bool(lines) + [title, *(f"{line}*" for line in inner[:kept]), *inner[kept:]]
    return _long(widths, table("", head, []).splitlines()[1:4], lines)


def _long(widths: Sequence[float | str], head: list[str], rows: list[str]) -> str:
    columns = "".join(map(_column, widths))
    lines = [rf"\begin{{longtable}}{{{columns}}}", *head, r"\endhead", r"\bottomrule", r"\endfoot"]
    return "\n".join([*lines, *rows, r"\end{longtable}", ""])


def _column(width: float | str) -> str:
    if isinstance(width, str):
        return width
    side = "right" if width > 0 else "left"
    return rf">{{\ragged{side}\arraybackslash}}p{{\dimexpr{abs(width):g}\linewidth-2\tabcolsep}}"
