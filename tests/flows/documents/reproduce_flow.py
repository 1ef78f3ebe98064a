"""`@named_env_base`: "Using Pathspecs", "With environment variables" and whole."""

from metaflow import FlowSpec, named_env, named_env_base, step


@named_env_base(pathspec="MyFlow/@{PROD_RUN_ID}/train")
class ReproduceFlow(FlowSpec):
    @step
    def start(self):
        # Uses the exact environment from the run of MyFlow, step train
        import tensorflow

        assert tensorflow.__version__ == "2.12.0"
        self.next(self.end)

    @named_env(pathspec="MyFlow/123/train")
    @step
    def end(self):
        import tensorflow

        assert tensorflow.__version__ == "2.12.0"


if __name__ == "__main__":
    ReproduceFlow()
