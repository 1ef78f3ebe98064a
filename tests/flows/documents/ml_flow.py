"""`@named_env_base`: "Overview"."""

from metaflow import FlowSpec, conda, named_env_base, step


@named_env_base(name="team/ml-base-env:v2")
class MlFlow(FlowSpec):
    @step
    def start(self):
        import numpy as np
        import pandas as pd

        # Uses ml-base-env:v2
        assert (np.__version__, pd.__version__) == ("1.21.5", "1.5.0")
        self.next(self.train)

    @conda(libraries={"xgboost": "1.7.0"})
    @step
    def train(self):
        import pandas as pd
        import xgboost as xgb

        # ml-base-env:v2 + xgboost
        assert (pd.__version__, xgb.__version__) == ("1.5.0", "1.7.0")
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    MlFlow()
