"""Every network behind one function: `create`; agents behind `create_agent`."""

from experiments.models.networks import NAMES, check, create, create_agent, fits, simulators

__all__ = ["NAMES", "check", "create", "create_agent", "fits", "simulators"]
