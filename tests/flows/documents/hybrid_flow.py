"""`@named_env_base`: "Combining Multiple Decorators"."""

from metaflow import FlowSpec, conda, named_env_base, pypi, step


@named_env_base(name="team/core:v1")
class HybridFlow(FlowSpec):
    @step
    def start(self):
        # Just team/core:v1
        self.next(self.process)

    @conda(libraries={"pytorch": "2.0.0"})
    @pypi(packages={"transformers": "4.28.0"})
    @step
    def process(self):
        # team/core:v1 + pytorch (Conda) + transformers (PyPI)
        import numpy
        import torch
        from transformers import AutoModel

        assert (numpy.__version__, torch.__version__) == ("1.21.5", "2.0.0")
        assert AutoModel.__name__ == "AutoModel"
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    HybridFlow()
