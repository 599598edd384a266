"""A user of the stand-in hub: a process of its own, as huggingface_hub reads its settings once."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.checkpoints.hub_server import Hub


@dataclass(frozen=True)
class Client:
    """Somebody's machine: a cache of its own, and the address of the hub."""

    hub: Hub
    home: Path

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        hub = {
            "HF_ENDPOINT": self.hub.url,
            "HF_HOME": str(self.home),
            "HF_HUB_DISABLE_XET": "1",
            "NO_COLOR": "1",
            "OMP_NUM_THREADS": "1",
        }
        unset = {"HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE"}
        usual = {name: value for name, value in os.environ.items() if name not in unset}
        return subprocess.run(
            [sys.executable, *arguments],
            env={**usual, **hub, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
