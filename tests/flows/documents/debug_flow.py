"""Named environments: "Using Pathspecs", whole and partial, as literals and with a variable."""

from metaflow import FlowSpec, named_env, step


class DebugStepsFlow(FlowSpec):
    @named_env(pathspec="MyFlow/123/train")
    @step
    def start(self):
        # Uses exact same environment as MyFlow/123/train
        import tensorflow

        assert tensorflow.__version__ == "2.12.0"
        self.next(self.run_alone)

    @named_env(pathspec="MyFlow/123")
    @step
    def run_alone(self):
        # Run 123, end step
        import numpy

        assert numpy.__version__ == "1.21.5"
        self.next(self.flow_alone)

    @named_env(pathspec="MyFlow")
    @step
    def flow_alone(self):
        # Latest run, end step
        import numpy

        assert numpy.__version__ == "1.21.5"
        self.next(self.end)

    @named_env(pathspec="MyFlow/@{RUN_ID}/train")
    @step
    def end(self):
        import tensorflow

        assert tensorflow.__version__ == "2.12.0"


if __name__ == "__main__":
    DebugStepsFlow()
