"""The mutants: in which module, what stands there, what the mutant has, and the claims one of which must notice.

The first entry of the last field is the claims' module. Every mutant changes one constant, sign or index.
"""

BOUNDS, REGRET, DESCENT = "theory.theorems.bounds", "theory.theorems.regret_chain", "theory.theorems.nonconvex_chain"
CONVEX = ("theorems.convex", "ours-theorem-c", "ours-theorem-c-varying-alpha", "ours-theorem-c-no-monotonicity")
NONCONVEX = ("theorems.descent", "ours-theorem-n-sgd", "ours-theorem-n-adam", "ours-theorem-n-alto")
TRACKING = ("lemmas.tracking", "ours-tracking-error")
AFTER = ("theorems.nonconvex", "ours-theorem-n-sgd-small-batch", "ours-weight-decay-any-mu", "table-2-orders")

# module, what stands there, what the mutant has, and the claims (their module first) one of which must notice
MUTANTS = {
    "lemma 10 constant": (
        BOUNDS,
        "(1 - beta3) * (1 - F.beta2**2 / beta3)",
        "(1 - beta3) * (1 + F.beta2**2 / beta3)",
        CONVEX,
    ),
    "rho by eps1 without kappa_m": (
        BOUNDS,
        "by_eps1 = F.kappa_m * G / eps1",
        "by_eps1 = F.kappa_m * G / (2 * eps1)",
        CONVEX,
    ),
    "Wmax without eps1": (BOUNDS, "self.filter.kappa * self.G + self.eps1", "self.filter.kappa * self.G", CONVEX),
    "Wmax without kappa": (BOUNDS, "self.filter.kappa * self.G + self.eps1", "self.G + self.eps1", CONVEX),
    "direction without decay": (BOUNDS, "self.rho + self.decay * self.D", "self.rho", CONVEX),
    "direction without sqrt(d)": (BOUNDS, "return sqrt(self.d) * self.rho +", "return self.rho +", CONVEX),
    "reach without eps3": (BOUNDS, "self.D + sqrt(len(self.layers)) * self.eps3", "self.D", CONVEX),
    "reach with one layer": (BOUNDS, "sqrt(len(self.layers)) * self.eps3", "self.eps3", CONVEX),
    "factor without decay": (
        BOUNDS,
        "sqrt(size) * self.rho + (self.decay + self.eps2)",
        "sqrt(size) * self.rho + (self.eps2)",
        CONVEX,
    ),
    "factor without eps2": (
        BOUNDS,
        "sqrt(size) * self.rho + (self.decay + self.eps2)",
        "sqrt(size) * self.rho + (self.decay)",
        CONVEX,
    ),
    "distance term halved": (
        BOUNDS,
        "for n in self.layers) / (2 * self.eta)",
        "for n in self.layers) / (4 * self.eta)",
        CONVEX,
    ),
    "width not squared": (BOUNDS, "return self.width**2 *", "return self.width *", CONVEX),
    "step term halved": (
        BOUNDS,
        "return self.eta * self.Wmax * self.reach * self.direction",
        "return self.eta / 2 * self.Wmax * self.reach * self.direction",
        CONVEX,
    ),
    "decay term halved": (BOUNDS, "return self.decay / 2 * self.Wmax", "return self.decay / 4 * self.Wmax", CONVEX),
    "age term halved": (BOUNDS, "return 2 * self.age * self.G", "return self.age * self.G", CONVEX),
    "boundary without d": (
        BOUNDS,
        "return self.age * self.G * self.d * self.width",
        "return self.age * self.G * self.width",
        CONVEX,
    ),
    "no variation term": (BOUNDS, "return self.variation * self.G", "return 0 * self.variation * self.G", CONVEX),
    "varying age without alpha": (BOUNDS, "F.kappa * F.b + abs(F.alpha)", "F.kappa * F.b", CONVEX),
    "varying gain of the largest alpha alone": (
        "theory.theorems.varying_alpha",
        "for end in (min(self.alphas), max(self.alphas))",
        "for end in [max(self.alphas, key=abs)]",
        CONVEX,
    ),
    "decay quarter": (REGRET, "total(decay * star**2) / 4", "total(decay * star**2) / 16", CONVEX),
    "distance not halved": (REGRET, "run.H * after**2) / 2", "run.H * after**2) / 3", CONVEX),
    "transport with the wrong alpha": (REGRET, "alpha[1:] * run.h[:-1]", "alpha[:-1] * run.h[:-1]", CONVEX),
    "falls forgotten": (REGRET, "np.maximum(-np.diff(run.H, axis=0), 0)", "0 * run.H[1:]", CONVEX),
    "filter: age of the momentum": (
        "theory.method.filters",
        "return self.beta2 / (1 - self.beta2)",
        "return self.beta2",
        CONVEX,
    ),
    "filter: t with the wrong sign": (
        "theory.method.filters",
        "self.b * self.w + self.c *",
        "self.b * self.w - self.c *",
        CONVEX,
    ),
    "tracking drift": (
        BOUNDS,
        "2 * F.alpha**2 * F.beta1**2 + 2 * (F.b + F.c) ** 2",
        "2 * F.alpha**2 * F.beta1**2 + (F.b + F.c) ** 2",
        TRACKING,
    ),
    "tracking initial": (BOUNDS, "F.b + 2 * F.c**2 / (1 - F.beta1)", "F.b + F.c**2 / (1 - F.beta1)", TRACKING),
    "tracking noise": (
        BOUNDS,
        "2 * F.c**2 * (1 - F.beta1) + (1 - F.beta2)",
        "F.c**2 * (1 - F.beta1) + (1 - F.beta2)",
        TRACKING,
    ),
    "tracking without E": (
        BOUNDS,
        "Tracking(F.b**2, F.b, 1 - F.beta2)",
        "Tracking(F.b**2, F.b, (1 - F.beta2) / 2)",
        NONCONVEX,
    ),
    "gap counted once": (
        BOUNDS,
        "return 2 * gap / (eta * Q.smallest * T)",
        "return gap / (eta * Q.smallest * T)",
        NONCONVEX,
    ),
    "noise without chi": (
        BOUNDS,
        "+ Q.chi * (tracking.noise * variance +",
        "+ (tracking.noise * variance +",
        NONCONVEX,
    ),
    "step condition": (
        BOUNDS,
        "min(1 / 2, 1 / sqrt(2 * tracking.drift)",
        "min(1 / 2, 1 / sqrt(tracking.drift)",
        NONCONVEX,
    ),
    "EAdam lower bound": (
        BOUNDS,
        "Preconditioner(1 / (F.kappa * G + eps1), 1 / eps1",
        "Preconditioner(2 / (F.kappa * G + eps1), 1 / eps1",
        NONCONVEX,
    ),
    "ALTO upper bound": (BOUNDS, "adam.largest / eps2", "adam.largest", NONCONVEX),
    "descent coefficient": (DESCENT, "(1 - x) * norm2(run.M, q)", "(2 - x) * norm2(run.M, q)", NONCONVEX),
    "descent error term": (DESCENT, "- norm2(e, q)),", "- norm2(e, q) / 2),", NONCONVEX),
    "drift without eta": (DESCENT, "(problem.L * eta) ** 2", "(problem.L * eta / 2) ** 2", NONCONVEX),
    "small batch noise": (BOUNDS, "2 * L * eta * variance * (1 +", "L * eta * variance * (1 +", AFTER),
    "small batch gap": (BOUNDS, "return 4 * gap / (eta * T)", "return 2 * gap / (eta * T)", AFTER),
    "sufficient T": (BOUNDS, "T = 16 * Q.chi", "T = 8 * Q.chi", AFTER),
    "sufficient batch": (BOUNDS, "return T, 4 * Q.chi * F.omega2", "return T, 2 * Q.chi * F.omega2", AFTER),
    "sequences: a without its factor": (
        "theory.method.sequences",
        "y = beta * y + (1 - beta) * x",
        "y = beta * y + x",
        ("method.identities", "identity-slow-average", "ema-n-weights"),
    ),
    "algorithms: eps1 under the root": (
        "theory.method.algorithms",
        "np.sqrt(v / v_scale) + eps1",
        "np.sqrt(v / v_scale + eps1)",
        NONCONVEX,
    ),
    "stability: flip": (
        "theory.stability.linear",
        "flip = x * (1 + beta1 - 2 * c)",
        "flip = x * (1 + beta1 - c)",
        ("behaviour.stability", "ours-stability-region"),
    ),
    "stability: variance": (
        "theory.stability.linear",
        "beta1 * (1 + beta2) - (1 + beta1 * beta2) * c",
        "beta1 * (1 + beta2) - (1 - beta1 * beta2) * c",
        ("behaviour.stability", "ours-variance"),
    ),
}
