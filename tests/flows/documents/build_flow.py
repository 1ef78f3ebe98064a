"""An environment that one step builds and the next one uses: its alias is read when that task starts."""

import os
import subprocess

from metaflow import FlowSpec, current, named_env, step


class BuildFlow(FlowSpec):
    @step
    def start(self):
        with open("requirements-built.txt", "w") as file:
            file.write("itsdangerous==2.1.2\n")
        command = [
            "metaflow", "environment", "resolve", "-r", "requirements-built.txt",
            "--alias", "scratch/built:%s" % os.environ["BUILD"],
        ]  # fmt: skip
        subprocess.run(command, check=True)
        self.next(self.end)

    @named_env(name="scratch/built:@{BUILD}", fetch_at_exec=True)
    @step
    def end(self):
        import itsdangerous

        assert itsdangerous.__version__ == "2.1.2"
        print("built", current.run_id)


if __name__ == "__main__":
    BuildFlow()
