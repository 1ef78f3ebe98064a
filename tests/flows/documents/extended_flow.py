"""`@named_env_base`: "Extending Base Environment", with two branches."""

from metaflow import FlowSpec, conda, named_env_base, step


@named_env_base(name="team/base-ml:v2")
class ExtendedFlow(FlowSpec):
    @step
    def start(self):
        import pandas as pd

        # Only base-ml:v2 packages
        assert pd.__version__ == "1.5.0"
        self.next(self.train_xgb, self.train_pytorch)

    @conda(libraries={"xgboost": "1.7.0"})
    @step
    def train_xgb(self):
        import pandas as pd
        import xgboost as xgb

        # base-ml:v2 + xgboost
        assert (pd.__version__, xgb.__version__) == ("1.5.0", "1.7.0")
        self.next(self.join)

    @conda(libraries={"pytorch": "2.0.0"})
    @step
    def train_pytorch(self):
        import pandas as pd
        import torch

        # base-ml:v2 + pytorch
        assert (pd.__version__, torch.__version__) == ("1.5.0", "2.0.0")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    ExtendedFlow()
