"""`@named_env_base`: "Basic Flow-Wide Named Environment"."""

from metaflow import FlowSpec, named_env_base, step


@named_env_base(name="ml-team/production-env:v1")
class ProductionPipeline(FlowSpec):
    @step
    def start(self):
        import numpy as np
        import pandas as pd

        # Uses production-env:v1
        assert (np.__version__, pd.__version__) == ("1.21.5", "1.5.0")
        self.next(self.process)

    @step
    def process(self):
        import sklearn

        # Still uses production-env:v1
        assert sklearn.__version__ == "1.2.0"
        self.next(self.end)

    @step
    def end(self):
        # Still uses production-env:v1
        pass


if __name__ == "__main__":
    ProductionPipeline()
