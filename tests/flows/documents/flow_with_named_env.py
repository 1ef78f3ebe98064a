"""Named environments: "In Decorators". The document's Python is 3.8; `FLOW_PYTHON` is what the machine has."""

import os

from metaflow import FlowSpec, conda, named_env, step


class CondaTestFlow(FlowSpec):
    @named_env(name="mlp/metaflow/conda_example/numpy_test_env")
    @step
    def start(self):
        import numpy as np

        print("I have numpy version %s " % np.__version__)
        assert np.__version__ == "1.21.5"
        self.next(self.end)

    @conda(libraries={"pandas": "1.5.0"}, python=os.environ.get("FLOW_PYTHON", ">=3.8,<3.9"))
    @step
    def end(self):
        import pandas as pd

        assert pd.__version__ == "1.5.0"
        print("I am in end and Pandas version is %s " % pd.__version__)


if __name__ == "__main__":
    CondaTestFlow()
