"""`@named_env_base`: "Using Latest Environment"; `:latest` is what a name without a tag means."""

from metaflow import FlowSpec, named_env, named_env_base, step


@named_env_base(name="team/data-pipeline")
class SameFlow(FlowSpec):
    @named_env(name="team/data-pipeline:latest")
    @step
    def start(self):
        # Uses whatever team/data-pipeline:latest points to
        # Updates when :latest is updated
        import pandas as pd

        self.pandas = pd.__version__
        self.next(self.end)

    @step
    def end(self):
        import pandas as pd

        assert pd.__version__ == self.pandas
        print("pandas", self.pandas)


if __name__ == "__main__":
    SameFlow()
