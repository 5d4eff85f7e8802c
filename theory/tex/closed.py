"""Numbers that closed forms of the theory give: evaluated when the paper is built."""

from theory.claims.behaviour.stability import CASES
from theory.method.filters import Filter
from theory.stability import linear
from theory.tex.book import Book
from theory.tex.markup import number, plain, table

RECOMMENDED = {"large": (-5.0, 0.99, 0.9), "small": (0.5, 0.01, 0.9)}
"""The paper's settings for large and small batches: alpha, beta1, beta2."""

FILTERS = (
    (0.0, 0.9, 0.9), (-5.0, 0.9, 0.9), (5.0, 0.9, 0.9), (-5.0, 0.99, 0.9), (5.0, 0.99, 0.9), (0.5, 0.01, 0.9),
    (-20.0, 0.98, 0.9), (-90.0, 0.99, 0.9),
)  # fmt: skip
THRESHOLDS = (
    (-5.0, 0.99, 0.0), (-5.0, 0.99, 0.9), (5.0, 0.99, 0.9), (0.5, 0.01, 0.0), (0.5, 0.01, 0.9), (-80.0, 0.99, 0.95),
    (-90.0, 0.99, 0.9), (-95.0, 0.99, 0.9), (-0.5, 0.01, 0.9),
)  # fmt: skip
NOISE = (
    (0.3, 0.0, 0.99, 0.0), (0.3, -5.0, 0.99, 0.0), (1.0, -50.0, 0.99, 0.0), (0.3, 0.0, 0.99, 0.9),
    (0.3, -5.0, 0.99, 0.9), (0.3, 0.5, 0.01, 0.0), (0.3, 0.5, 0.01, 0.9),
)  # fmt: skip


def add(book: Book) -> None:
    """The tables ``filters``, ``thresholds``, ``region``, ``variance``, and the values of the recommended settings."""
    head = [r"$(\alpha,\beta_1,\beta_2)$", "$c$", r"$\kappa$", r"$\kappa_m$", r"$b-\alpha$", "$K$", r"$\omega_2$",
            r"$\tau_2$"]  # fmt: skip
    book.file("filters", table("lrrrrrrr", head, [_filter_row(*setting) for setting in FILTERS]))
    head = [r"$(\alpha,\beta_1,\beta_2)$", "$c$", r"$x_{\mathrm{flip}}$", r"$x_{\mathrm{osc}}$", "$x^*$",
            r"$x^*(\alpha)/x^*(0)$"]  # fmt: skip
    book.file("thresholds", table("lrrrrr", head, [_threshold_row(*setting) for setting in THRESHOLDS]))
    head = ["$x$", r"$(\alpha,\beta_1,\beta_2)$", r"$|\alpha|<1/(1-\beta_1)$", "spectral radius", "converges"]
    book.file("region", table("rlccc", head, _region_rows()))
    head = ["$x$", r"$(\alpha,\beta_1,\beta_2)$", "$V$", r"$V(\alpha)/V(0)$"]
    book.file("variance", table("rlrr", head, [_variance_row(*setting) for setting in NOISE]))
    for name, (alpha, beta1, beta2) in RECOMMENDED.items():
        F = Filter(alpha, beta1, beta2)
        weight = F.c * (1 - beta2) / (beta1 - beta2)
        book.value(f"{name}/c", plain(round(F.c, 6)))
        book.value(f"{name}/weight", number(weight, 3))
        book.value(f"{name}/kappa", number(F.kappa, 3))
        book.value(f"{name}/gain", number(Filter(alpha, beta1, 0.0).omega2))
        book.value(f"{name}/peak", number(linear.largest_stable(F.c, beta1, beta2)))
        book.value(f"{name}/ratio", number(_ratio(F.c, beta1, beta2)))
    cliff = {alpha: linear.largest_stable(-alpha * 0.01, 0.99, 0.9) for alpha in (-90.0, -95.0)}
    for alpha, value in cliff.items():
        book.value(f"cliff/{alpha:g}", number(value))


def _setting(alpha: float, beta1: float, beta2: float) -> str:
    return f"$({alpha:g},\\,{beta1:g},\\,{beta2:g})$"


def _filter_row(alpha: float, beta1: float, beta2: float) -> list[str]:
    F = Filter(alpha, beta1, beta2)
    values = (F.c, F.kappa, F.kappa_m, F.b - alpha, F.K, F.omega2, F.tau2)
    return [_setting(alpha, beta1, beta2), *(number(float(value)) for value in values)]


def _ratio(c: float, beta1: float, beta2: float) -> float:
    return linear.largest_stable(c, beta1, beta2) / linear.largest_stable(0.0, beta1, beta2)


def _threshold_row(alpha: float, beta1: float, beta2: float) -> list[str]:
    c = -alpha * (1 - beta1)
    values = (
        c,
        linear.flip_threshold(c, beta1, beta2),
        linear.oscillation_threshold(c, beta1, beta2),
        linear.largest_stable(c, beta1, beta2),
        _ratio(c, beta1, beta2),
    )
    return [_setting(alpha, beta1, beta2), *map(number, values)]


def _region_rows() -> list[list[str]]:
    return [
        _region_row(float(x), float(alpha), float(beta1), float(beta2), converges)
        for x, alpha, beta1, beta2, converges in CASES
    ]


def _region_row(x: float, alpha: float, beta1: float, beta2: float, converges: bool) -> list[str]:
    c = -alpha * (1 - beta1)
    radius = float(linear.spectral_radius(x, c, beta1, beta2))
    if (radius < 1) is not converges:
        raise ValueError(f"the spectral radius {radius} contradicts the stored case x = {x}, alpha = {alpha}")
    inside = "yes" if abs(c) < 1 else "no"
    return [plain(x), _setting(alpha, beta1, beta2), inside, number(radius, 6), "yes" if converges else "no"]


def _variance_row(x: float, alpha: float, beta1: float, beta2: float) -> list[str]:
    value = linear.variance(x, -alpha * (1 - beta1), beta1, beta2)
    ratio = value / linear.variance(x, 0.0, beta1, beta2)
    return [plain(x), _setting(alpha, beta1, beta2), number(value), number(ratio)]
