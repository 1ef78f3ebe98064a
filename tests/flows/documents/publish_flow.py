"""An environment that one step publishes in an open namespace and the next one uses, with the registry's URL alone."""

import os
import subprocess

from metaflow import FlowSpec, current, named_env, step


class PublishFlow(FlowSpec):
    @step
    def start(self):
        with open("requirements-published.txt", "w") as file:
            file.write("itsdangerous==2.1.2\n")
        resolve = "metaflow environment resolve -r requirements-published.txt --alias scratch/published:%s"
        for line in (resolve % os.environ["BUILD"], "envtag publish scratch/published"):
            subprocess.run(line.split(), check=True)
        self.next(self.end)

    @named_env(name="scratch/published:@{BUILD}", fetch_at_exec=True)
    @step
    def end(self):
        import itsdangerous

        assert itsdangerous.__version__ == "2.1.2"
        print("published", current.run_id)


if __name__ == "__main__":
    PublishFlow()
