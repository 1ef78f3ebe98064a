"""`@named_env_base`: "Fetch at Execution Time"; the environment moves between two steps of one run."""

import os
import subprocess

from metaflow import FlowSpec, current, named_env, named_env_base, retry, step


@named_env_base(name="prod/data-pipeline:latest", fetch_at_exec=True)
class DynamicProdFlow(FlowSpec):
    @step
    def start(self):
        # Uses the :latest environment *when this task runs*
        # Not the :latest when the flow was deployed
        import pandas as pd

        self.before = pd.__version__
        if os.environ.get("MOVE"):
            subprocess.run(os.environ["MOVE"], shell=True, check=True)
        self.parts = ["a", "b"]
        self.next(self.part, foreach="parts")

    @retry(times=1, minutes_between_retries=0)
    @step
    def part(self):
        import pandas as pd

        if self.input == "b" and current.retry_count == 0:
            raise RuntimeError("the first attempt fails")
        self.after = pd.__version__
        self.next(self.join)

    @step
    def join(self, inputs):
        self.seen = sorted({(item.before, item.after) for item in inputs})
        self.next(self.end)

    @named_env(disabled=True)
    @step
    def end(self):
        print("seen", self.seen)


if __name__ == "__main__":
    DynamicProdFlow()
