"""`@named_env_base`: "Merge Behavior" and "Can Extend at Step Level"."""

from metaflow import FlowSpec, conda, named_env_base, pypi, step


@named_env_base(name="team/base:v1")
class GoodFlow(FlowSpec):
    @conda(libraries={"xgboost": "1.7.0"})
    @pypi(packages={"fastapi": "0.95.0"})
    @step
    def start(self):
        # base:v1 + xgboost + fastapi
        # All packages from base:v1 remain
        import fastapi
        import numpy
        import pandas
        import xgboost

        assert (fastapi.__version__, xgboost.__version__) == ("0.95.0", "1.7.0")
        assert (numpy.__version__, pandas.__version__) == ("1.21.5", "1.5.0")
        self.next(self.train)

    @conda(libraries={"xgboost": "1.7.0"})
    @step
    def train(self):
        # This is OK: extends base:v1 with xgboost
        import xgboost

        assert xgboost.__version__ == "1.7.0"
        self.next(self.serve)

    @pypi(packages={"fastapi": "0.95.0"})
    @step
    def serve(self):
        # This is OK: extends base:v1 with fastapi
        import fastapi

        assert fastapi.__version__ == "0.95.0"
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    GoodFlow()
