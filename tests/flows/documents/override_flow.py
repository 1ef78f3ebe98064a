"""`@named_env_base`: "Overriding Base Environment"."""

import importlib.util

from metaflow import FlowSpec, named_env, named_env_base, step


@named_env_base(name="team/default-env:v1")
class OverrideFlow(FlowSpec):
    @step
    def start(self):
        # Uses team/default-env:v1
        import pandas

        assert pandas.__version__ == "1.5.0"
        self.next(self.special_step)

    @named_env(name="team/gpu-env:v2")
    @step
    def special_step(self):
        import torch

        # Overrides base, uses team/gpu-env:v2
        assert torch.__version__ == "2.0.0"
        assert importlib.util.find_spec("pandas") is None
        self.next(self.end)

    @step
    def end(self):
        # Back to team/default-env:v1
        import pandas

        assert pandas.__version__ == "1.5.0"


if __name__ == "__main__":
    OverrideFlow()
