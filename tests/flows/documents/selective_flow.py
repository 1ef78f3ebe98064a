"""`@named_env_base`: "Disabling by Default"."""

import sys

from metaflow import FlowSpec, named_env, named_env_base, step


@named_env_base(disabled=True)
class SelectiveFlow(FlowSpec):
    @step
    def start(self):
        # Runs in system Python
        import subprocess

        subprocess.run(["true"], check=True)
        self.prefix = sys.prefix
        self.next(self.managed_step)

    @named_env(name="team/special-env")
    @step
    def managed_step(self):
        # Explicitly enables named environment
        import pandas as pd

        assert pd.__version__ == "1.5.0"
        assert sys.prefix != self.prefix
        self.next(self.end)

    @step
    def end(self):
        # Back to system Python
        assert sys.prefix == self.prefix


if __name__ == "__main__":
    SelectiveFlow()
