r"""
What E does to past gradients
=============================

The base optimizer's momentum is a weighted sum of past gradients. E changes the weights: :math:`\alpha < 0` moves a
part of them far back in time; :math:`\alpha > 0` gives the newest ones a total weight above 1 and subtracts the old.
In every case the weights sum to 1, and the mean age is :math:`\beta_2/(1-\beta_2) - \alpha` steps.
"""

import matplotlib.pyplot as plt
import numpy as np

beta1, beta2, steps = 0.99, 0.9, 400


def weights(alpha):
    """The response of the normalised momentum to one unit gradient at step 0."""
    c = -alpha * (1 - beta1)
    h = m = 0.0
    response = []
    for k in range(steps):
        g = 1.0 if k == 0 else 0.0
        u = (1 - c) * g + c * h
        h = beta1 * h + (1 - beta1) * g
        m = beta2 * m + (1 - beta2) * u
        response.append(m)
    return np.array(response)


figure, (near, far) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for alpha in (5.0, 0.0, -5.0, -50.0, -90.0):
    w = weights(alpha)
    near.plot(w[:40], label=rf"$\alpha = {alpha:g}$")
    far.plot(np.abs(w))
near.set(xlabel="age of the gradient, steps", ylabel="weight in $m$", title="the newest 40")
far.set(xlabel="age of the gradient, steps", ylabel="|weight|", yscale="log", ylim=(1e-6, 1), title="all")
near.legend()
plt.show()

# %%
# At :math:`\alpha^\star = 1/(1-\beta_2) - 1/(1-\beta_1) = -90` the fast average cancels. An exponential average with
# the decay rate :math:`\beta_1` remains.

assert np.allclose(weights(1 / (1 - beta2) - 1 / (1 - beta1)), (1 - beta1) * beta1 ** np.arange(steps))
