"""Named environments: "Flow-Level Named Environments"."""

from metaflow import FlowSpec, named_env_base, pypi, step


@named_env_base(name="mlp/team/base-env:v3")
class MyFlow(FlowSpec):
    @step
    def start(self):
        # Uses base-env:v3
        import numpy

        assert numpy.__version__ == "1.21.5"
        self.next(self.train)

    @pypi(packages={"tensorflow": "2.12.0"})
    @step
    def train(self):
        # Uses base-env:v3 PLUS tensorflow
        import numpy
        import tensorflow

        assert (numpy.__version__, tensorflow.__version__) == ("1.21.5", "2.12.0")
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    MyFlow()
