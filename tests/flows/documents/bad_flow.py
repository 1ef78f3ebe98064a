"""`@named_env_base`: "Cannot Combine with Definition Decorators"; `KIND` is which of the two examples it is."""

import os

from metaflow import FlowSpec, conda_base, named_env_base, pypi_base, step

conflicting = {
    "conda": conda_base(libraries={"pandas": "1.5.0"}),
    "pypi": pypi_base(packages={"requests": "2.28.0"}),
}


# This is an ERROR:
@conflicting[os.environ.get("KIND", "conda")]
@named_env_base(name="team/env")  # ERROR: Conflicting decorators
class BadFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    BadFlow()
