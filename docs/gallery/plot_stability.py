r"""
Where E with SGD converges
==========================

On a quadratic of curvature :math:`\lambda` the step :math:`\eta` decides, through :math:`x = \eta\lambda`. The shaded
region is where all roots lie inside the unit circle, found by eigenvalues; the lines are the two exact conditions. The
paper's condition :math:`|\alpha| < 1/(1-\beta_1)` is the pair of dotted lines. It is neither necessary nor sufficient.
"""

import matplotlib.pyplot as plt
import numpy as np

from theory.stability import linear

beta1, beta2 = 0.99, 0.9
alpha = np.linspace(-130, 130, 401)
x = np.geomspace(1e-2, 1e3, 301)
c = -alpha * (1 - beta1)
radius = linear.spectral_radius(x[:, None], c[None, :], beta1, beta2)

figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
axes.contourf(alpha, x, radius < 1, levels=[0.5, 1.5], colors=["#9fd0e3"])
flip = [linear.flip_threshold(one, beta1, beta2) for one in c]
oscillation = [linear.oscillation_threshold(one, beta1, beta2) for one in c]
axes.plot(alpha, flip, label="flip, exact")
axes.plot(alpha, oscillation, label="oscillation, exact")
for sign in (-1, 1):
    axes.axvline(sign / (1 - beta1), color="black", linestyle=":", label="the paper's region" if sign > 0 else None)
axes.set(xlabel=r"$\alpha$", ylabel=r"$x = \eta\lambda$", yscale="log", ylim=(x[0], x[-1]), xlim=(alpha[0], alpha[-1]))
axes.legend(loc="upper right")
plt.show()

# %%
# On the left a slow oscillation starts. Just before it the largest stable step is highest.

best_c, best_x = linear.peak(beta1, beta2)
print(f"the largest stable x is {best_x:.1f}, at alpha = {-best_c / (1 - beta1):.2f}")
print(f"without E it is {linear.largest_stable(0.0, beta1, beta2):.1f}")
