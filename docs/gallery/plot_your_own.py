r"""
Your optimizer: its rate, its stability, your training
======================================================

Three questions about an optimizer and a training of yours. This page is also a notebook: the link is at its end.
It needs ``pip install ".[theory]"`` from a checkout.

How fast does it converge? An objective is a function of one point, and an optimizer is a class.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

import theory
from alto import ALTO


def objective(x):
    return (torch.linspace(0.1, 1, 5, dtype=x.dtype) * x**2).sum() / 2 + torch.log(torch.cosh(x)).sum()


rates = theory.rates.measure(
    torch.optim.AdamW, objective, lr=0.1, start=[2.0, -1.0, 1.0, 0.5, -2.0], T=(100, 200, 400, 800), seeds=8
)
figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
rates.plot(axes)
plt.show()

# %%
# The exponent in the number of steps T, with its interval over the seeds:

found = rates.exponent
print(f"T^{found.value:.2f}, between {found.low:.2f} and {found.high:.2f}; a theorem: {rates.theory or rates.why_not}")

# %%
# Is a setting stable? The map shows where E over SGD converges on a quadratic. The marked setting is ours.

figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
theory.figures.stability_map(beta1=0.95, beta2=[0.0, 0.9], mark=[-15], ax=axes)
plt.show()

# %%
# What do the theorems' constants do along a training?

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1)).double()
optimizer = ALTO(model.parameters(), lr=0.01, eps=(0.1, 0.1, 0.1))
x = torch.randn(256, 8, dtype=torch.float64)
watch = theory.watch(optimizer)
losses = []
for _ in range(200):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), x.sum(1, keepdim=True))
    loss.backward()
    watch.note_loss(loss)
    optimizer.step()
    losses.append(loss.item())
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.semilogy(losses)
axes.set(xlabel="step", ylabel="training loss")
plt.show()

# %%
# The report of the run:

print(watch.report())
