"""Which engines a keeper is to make: a value that goes over a command line."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from sandbox.engines import EngineConfig


@dataclass(frozen=True)
class Plan:
    """Which engines to make: Docker unless the configuration names one that answers, Kubernetes if told so."""

    config: EngineConfig
    cluster: bool

    def to_text(self) -> str:
        """Write it for a command line."""
        config = {name: str(value) for name, value in asdict(self.config).items() if value is not None}
        return json.dumps({"config": config, "cluster": self.cluster})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote."""
        content = json.loads(text)
        config: dict[str, str] = content["config"]
        data, cache = Path(config.pop("data")), Path(config.pop("cache"))
        return cls(EngineConfig(data, cache, **config), content["cluster"])
