"""`@named_env_base`: "Disabling for Specific Steps"."""

import sys

from metaflow import FlowSpec, named_env, named_env_base, step


@named_env_base(name="team/standard:v1")
class DisableFlow(FlowSpec):
    @step
    def start(self):
        # Uses team/standard:v1
        import pandas  # noqa: F401

        self.prefix = sys.prefix
        self.next(self.use_system)

    @named_env(disabled=True)
    @step
    def use_system(self):
        # Disables managed environment
        # Uses system Python
        assert sys.prefix != self.prefix
        self.next(self.end)

    @step
    def end(self):
        assert sys.prefix == self.prefix


if __name__ == "__main__":
    DisableFlow()
