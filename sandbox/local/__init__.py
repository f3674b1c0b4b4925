"""An engine where there is none: dockerd, and Kubernetes as one binary, in a box of Linux namespaces.

    open_engines(config)   hold a pair of engines for the length of an `async with` block
    reach(config)          use what is up for the length of a block, without starting any
    up(config)             start and keep them, yielding how they do; down, status, kubeconfig

Who calls whom: `engines` (in each process that needs engines) starts `keeper` (one process of a data folder), which
makes a `box` by `starting` both engines in it; in the box `supervisor` runs the programs.
A process that wants a machine to fail borrows it (`borrowing`) from the keeper, which lends by `loans` what `lent` is.
"""

from sandbox.local.control import down, kubeconfig, reach, status, up
from sandbox.local.engines import LocalEngines, open_engines
from sandbox.local.programs import SETTINGS

__all__ = ["SETTINGS", "LocalEngines", "down", "kubeconfig", "open_engines", "reach", "status", "up"]
