"""The environments that the two documents about named environments name, in a registry of the tests."""

from __future__ import annotations

from support.story import HERE, MINOR, Story

NUMPY_ENV = "mlp/metaflow/conda_example/numpy_test_env"
#: What `numpy_test_env` is made of: conda packages only, as the document shows it.
NUMPY_YML = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- numpy=1.21.5\n- pandas>=0.24.0\n"
#: The other names that the documents use; here they are names of one environment with numpy, pandas and scikit-learn.
NAMES = (
    "mlp/team/base-env:v3",
    "team/ml-base-env:v2",
    "team/ml-env:v1",
    "team/ml-env:latest",
    "ml-team/production-env:v1",
    "team/base-ml:v2",
    "team/default-env:v1",
    "team/data-pipeline:v1",
    "team/core:v1",
    "team/special-env",
    "team/base:v1",
    "team/standard:v1",
)
_ML_YML = (
    f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- numpy=1.21.5\n- pandas=1.5.0\n- scikit-learn\n"
)
_GPU_YML = f"channels: [conda-forge]\ndependencies:\n- python {MINOR}.*\n- pytorch=2.0.0\n"


def named_environments(story: Story) -> None:
    """State: every environment that the documents name, with what Metaflow needs; committed, not published."""
    use_index(story)
    environment(story, NUMPY_YML, f"{NUMPY_ENV}:v1")
    environment(story, _ML_YML, "team/ml-base-env:v2")
    for alias in NAMES:
        if alias != "team/ml-base-env:v2":
            story.call("environment", "alias", "team/ml-base-env:v2", alias)
    environment(story, _GPU_YML, "team/gpu-env:v2", "team/special:v2")
    story.commit("the environments of the documents")


def use_index(story: Story) -> None:
    """Let the registry's environments be answered by the loopback index where they name none."""
    project = story.path / "pyproject.toml"
    project.write_text(project.read_text("utf-8") + f'index-url = "{story.index_url}"\n', "utf-8")


def environment(story: Story, text: str, *aliases: str, options: tuple[str, ...] = ()) -> None:
    """Resolve an environment.yml as `metaflow environment resolve` does, for this platform."""
    path = story.spec("environment.yml", text)
    named = [word for alias in aliases for word in ("--alias", alias)]
    story.call("environment", "resolve", "-f", str(path), "--platform", HERE, *named, *options)
