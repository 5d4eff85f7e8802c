r"""
A curved valley
===============

Rosenbrock's valley from one start, with one learning rate, by the library's own optimizers. The dotted run is heavy
ball, without E: it takes the path of E at :math:`\alpha^\star`.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch

from alto import ESGD


def path(optimizer_of, steps=1200):
    """The iterates of an optimizer on Rosenbrock's function, shape (steps, 2)."""
    point = torch.nn.Parameter(torch.tensor([-1.5, 2.0], dtype=torch.float64))
    optimizer = optimizer_of([point])
    trail = []
    for _ in range(steps):
        trail.append(point.detach().clone())
        optimizer.zero_grad()
        x, y = point
        ((1 - x) ** 2 + 100 * (y - x**2) ** 2).backward()
        optimizer.step()
    return torch.stack(trail).numpy()


runs = {
    r"$\alpha = 0$": lambda p: ESGD(p, lr=1e-3, alpha=0.0),
    r"$\alpha = -5$": lambda p: ESGD(p, lr=1e-3, alpha=-5.0),
    r"$\alpha = -50$": lambda p: ESGD(p, lr=1e-3, alpha=-50.0),
    r"$\alpha^\star = -90$": lambda p: ESGD(p, lr=1e-3, alpha=-90.0),
    "heavy ball 0.99, lr / 10": lambda p: torch.optim.SGD(p, lr=1e-4, momentum=0.99),
}
trails = {name: path(optimizer_of) for name, optimizer_of in runs.items()}

figure, (plane, loss) = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
X, Y = np.meshgrid(np.linspace(-1.8, 1.8, 200), np.linspace(-0.5, 3, 200))
plane.contour(X, Y, np.log10((1 - X) ** 2 + 100 * (Y - X**2) ** 2 + 1e-3), 12, colors="0.8")
for name, trail in trails.items():
    x, y = trail.T
    # It lies on the line before it, so it is dotted, and dark enough to be seen there.
    style = {"color": "black", "linestyle": (0, (1, 3)), "linewidth": 2.5} if name.startswith("heavy ball") else {}
    plane.plot(x, y, label=name, **style)
    loss.plot((1 - x) ** 2 + 100 * (y - x**2) ** 2, label=name, **style)
plane.set(xlim=(-1.8, 1.8), ylim=(-0.5, 3), xlabel="x", ylabel="y")
loss.set(yscale="log", xlabel="step", ylabel="f")
loss.legend(fontsize=8)
plt.show()

# %%
# At :math:`\alpha^\star` E over SGD with momentum *is* heavy ball with the decay :math:`\beta_1` and a smaller step.

assert np.allclose(trails[r"$\alpha^\star = -90$"], trails["heavy ball 0.99, lr / 10"], atol=1e-9)
