"""The command that says how many seeds a lead needs."""

from dataclasses import dataclass

from experiments.cli import console


@dataclass(frozen=True)
class Plan:
    """Say how many seeds a lead needs, before anything is trained: the power of the paired t test.

    Attributes:
        lead: The lead that should be seen, in the metric's unit, such as points of accuracy.
        sd: Standard deviation of the paired differences over the seeds: half the width of a difference's interval in
            `report`, times the square root of its number of seeds n, over the 97.5 % quantile of Student's t with n - 1
            degrees of freedom.
        power: Probability that the lead is seen.
        level: Of the two-sided test.
    """

    lead: float
    sd: float
    power: float = 0.8
    level: float = 0.05

    def act(self) -> int:
        """Compute and print."""
        from experiments.analysis import power

        count = power.seeds(self.lead, self.sd, self.power, self.level)
        reached = power.power(count, self.lead, self.sd, self.level)
        console.show_plan(count, reached, self.lead, self.sd, self.level)
        return 0
