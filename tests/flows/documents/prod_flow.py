"""`@named_env_base`: "Production Deployment Pattern" and "Environment Versioning Strategy"."""

from metaflow import FlowSpec, named_env_base, step


# Production: use immutable version
@named_env_base(name="team/api:v2.1.0")
class ProdFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        import pandas as pd

        print("pandas", pd.__version__)


if __name__ == "__main__":
    ProdFlow()
