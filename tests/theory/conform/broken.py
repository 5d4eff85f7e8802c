"""An optimizer that keeps the whole contract, and others that break one part of it each."""

import torch


class Right(torch.optim.Optimizer):
    """Momentum SGD that keeps the whole contract. Each mutant below breaks one thing."""

    def __init__(self, params, lr=0.1, momentum=0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum, "maximize": False, "foreach": None})

    def call(self, closure):
        with torch.enable_grad():
            return closure()

    def average(self, state, p):
        return state.setdefault("average", torch.zeros_like(p))

    def rate(self, group):
        return group["lr"]

    def refuse(self, p, g):
        if g.is_sparse:
            raise RuntimeError("sparse gradients are not supported")

    def gradient(self, p, group):
        return -p.grad if group["maximize"] else p.grad

    def update(self, p, g, group, place):
        average = self.average(self.state[p], p)
        average.mul_(group["momentum"]).add_(g)
        p.sub_(self.rate(group) * average)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else self.call(closure)
        for group in self.param_groups:
            for place, p in enumerate(group["params"]):
                if p.grad is not None:
                    self.refuse(p, p.grad)
                    self.update(p, self.gradient(p, group), group, place)
        return loss


class Forgets(Right):
    """Keeps its averages outside of ``state``, where no state dict finds them."""

    def average(self, state, p):
        return self.__dict__.setdefault("averages", {}).setdefault(p, torch.zeros_like(p))

    def __getstate__(self):
        return {**super().__getstate__(), "averages": self.__dict__.get("averages", {})}


class ByAddress(Right):
    """Finds its averages by the parameter's address: a copy has none."""

    def average(self, state, p):
        return self.__dict__.setdefault("averages", {}).setdefault(id(p), torch.zeros_like(p))


class Unpicklable(Right):
    def update(self, p, g, group, place):
        super().update(p, g, group, place)
        self.state[p]["hook"] = lambda: None


class NoLoss(Right):
    def step(self, closure=None):
        super().step(closure)


class Twice(Right):
    def call(self, closure):
        closure()
        return super().call(closure)


class ClosureLast(Right):
    """Reads the gradients first."""

    def step(self, closure=None):
        super().step()
        return None if closure is None else self.call(closure)


class NoGradients(Right):
    def call(self, closure):
        return closure()


class FirstGroup(Right):
    """Uses the learning rate of the first group everywhere."""

    def rate(self, group):
        return self.param_groups[0]["lr"]


class OldGroups(Right):
    """Never trains a group that was added."""

    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.old = {p for group in self.param_groups for p in group["params"]}

    def update(self, p, g, group, place):
        if p in self.old:
            super().update(p, g, group, place)


class FixedRate(Right):
    """Uses the learning rate that it was made with."""

    def rate(self, group):
        return self.defaults["lr"]


class Coupled(Right):
    """Treats the first tensor of a group apart."""

    def update(self, p, g, group, place):
        super().update(p, g if place else 2 * g, group, place)


class NoCycle(Right):
    """Cannot do with another momentum than the first."""

    def update(self, p, g, group, place):
        if group["momentum"] != self.defaults["momentum"]:
            raise ValueError("momentum has changed")
        super().update(p, g, group, place)


class Counting(Right):
    """Changes its state before ``step()`` is called, when gradients are cleared or read."""

    def state_dict(self):
        for p in self.state:
            self.state[p]["reads"] = self.state[p].get("reads", torch.zeros(())) + 1
        return super().state_dict()


class Unscaled(Right):
    """Says that it looks for infinite gradients itself, and does not."""

    _step_supports_amp_scaling = True


class IgnoresMaximize(Right):
    def gradient(self, p, group):
        return p.grad


class Normalized(Right):
    """Divides by the gradient's norm, 0 or not."""

    def update(self, p, g, group, place):
        super().update(p, g / g.norm(), group, place)


class MovesAll(Right):
    """Decays parameters without gradients, too."""

    def step(self, closure=None):
        loss = super().step(closure)
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p.mul_(0.99)
        return loss


class FirstRow(Right):
    """Takes the first row of a sparse gradient alone."""

    def refuse(self, p, g):
        pass

    def gradient(self, p, group):
        if p.grad.is_sparse:
            return torch.cat([p.grad.to_dense()[:1], torch.zeros_like(p)[1:]])
        return super().gradient(p, group)


class MovesThenRefuses(Right):
    def refuse(self, p, g):
        p.mul_(0.9)
        super().refuse(p, g)


class RealPart(Right):
    def gradient(self, p, group):
        g = super().gradient(p, group)
        return g.real.to(g.dtype) if g.is_complex() else g


class OtherForeach(Right):
    def update(self, p, g, group, place):
        super().update(p, 1.01 * g if group["foreach"] else g, group, place)


class SingleState(Right):
    """Averages in float32, which torch's ``load_state_dict`` rounds to the parameter's bfloat16."""

    def average(self, state, p):
        return state.setdefault("average", torch.zeros_like(p, dtype=torch.float32))


class Nested(Right):
    """Calls its own step with hooks again."""

    def step(self, closure=None):
        if not self.__dict__.get("inside"):
            self.inside = True
            try:
                return self.step(closure)
            finally:
                self.inside = False
        return super().step.__wrapped__(self, closure)


class Clips(Right):
    """Clips p.grad in place."""

    def gradient(self, p, group):
        return super().gradient(p, group) if p.grad.norm() < 1 else p.grad.div_(p.grad.norm())


class Uphill(Right):
    def gradient(self, p, group):
        return -super().gradient(p, group)


class Unstable(Right):
    def __init__(self, params, lr=4.0, momentum=0.9):
        super().__init__(params, lr, momentum)


class Noisy(Right):
    """Draws noise."""

    def gradient(self, p, group):
        return super().gradient(p, group) + torch.randn_like(p)


MUTANTS = [
    ("resume", Forgets), ("distributed checkpoint", Forgets), ("deepcopy", ByAddress), ("pickle", Unpicklable),
    ("closure", NoLoss), ("closure", Twice), ("closure", ClosureLast), ("closure", NoGradients),
    ("groups", FirstGroup), ("groups", OldGroups), ("groups", Coupled), ("scheduler", FixedRate),
    ("OneCycleLR", NoCycle), ("GradScaler", Counting), ("GradScaler", Unscaled), ("maximize", IgnoresMaximize),
    ("zero gradients", Normalized), ("None gradients", MovesAll), ("sparse gradients", FirstRow),
    ("sparse gradients", MovesThenRefuses), ("complex parameters", RealPart), ("foreach", OtherForeach),
    ("state dtypes", SingleState), ("hooks", Nested), ("p.grad kept", Clips), ("descent", Uphill),
    ("descent", Unstable),
]  # fmt: skip
"""Which part each breaks."""
