"""`@named_env_base`: "Parameters", with the tag from an environment variable."""

from metaflow import FlowSpec, named_env_base, step


# Use environment variable
@named_env_base(name="team/ml-env:@{ENV_VERSION}")
class VersionFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        import pandas as pd

        print("pandas", pd.__version__)


if __name__ == "__main__":
    VersionFlow()
