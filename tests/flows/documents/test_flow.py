"""`@named_env_base`: "Production Deployment Pattern" and "Environment Versioning Strategy"."""

from metaflow import FlowSpec, named_env_base, step


# Testing: use candidate
@named_env_base(name="team/api:candidate")
class TestFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        import pandas as pd

        print("pandas", pd.__version__)


if __name__ == "__main__":
    TestFlow()
