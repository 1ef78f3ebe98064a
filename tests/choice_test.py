from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from envtag.choice import choose, choose_for
from envtag.errors import FatalError
from envtag.lookup import find
from envtag.machine import detected
from envtag.output import Output
from envtag.platforms import PLATFORMS
from support.story import HERE, Story

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the test channel holds no GPU package for Windows")

GPU, CPU = f"{HERE}-cuda12", f"{HERE}-cpu"
OTHER = next(name for name in PLATFORMS if name != HERE)
SPEC = "channels: [conda-forge]\ndependencies: [gpu-thing, tzish]\n"


def variants(story: Story) -> None:
    """State: `mlp/gpu:v1` with a lock for machines with a GPU, and one for those without; `mlp/only:v1` for GPUs."""
    story.resolve("mlp/gpu:v1", environment=SPEC, options=("--platform", CPU, "--platform", GPU))
    story.resolve("mlp/only:v1", environment=SPEC, options=("--platform", GPU))
    far = "channels: [conda-forge]\ndependencies: [tzish]\n"
    story.resolve("mlp/far:v1", environment=far, options=("--platform", f"{OTHER}-cpu"))
    story.commit("variants")


@pytest.fixture
def gpu(make_story: Callable[..., Story]) -> Story:
    return make_story(variants)


@pytest.fixture(autouse=True)
def detected_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "")
    detected.cache_clear()
    yield
    detected.cache_clear()


def _on(monkeypatch: pytest.MonkeyPatch, cuda: str) -> None:
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", cuda)
    detected.cache_clear()


def test_each_variant_is_a_lock_of_its_own_beside_the_others(gpu: Story):
    files = gpu.files("mlp/gpu")
    assert {f"{CPU}-lock.yml", f"{GPU}-lock.yml"} <= set(files)
    assert f"platforms: [{CPU}, {GPU}]\n" in files["envtag.yml"]
    assert "gpu-thing-1.0-cuda120_0." in files[f"{GPU}-lock.yml"]
    assert "gpu-thing-1.0-cpu_0." in files[f"{CPU}-lock.yml"]
    assert f"  platforms:\n  - {HERE}\n" in files[f"{GPU}-lock.yml"]
    assert "envtag-variant: cuda12\n" in files[f"{GPU}-lock.yml"]
    assert f"{GPU}: " in files["tags.yml"]
    assert gpu.call("lock", "--check").code == 0
    assert gpu.call("check").code == 0


def test_the_variant_that_fits_this_machine_best_is_taken_and_it_is_said_why(
    gpu: Story, monkeypatch: pytest.MonkeyPatch
):
    with gpu.registry() as registry:
        found = find("mlp/gpu", registry, gpu.config, {})
        chosen = choose(found)
        assert chosen.platform == CPU
        assert chosen.reason == f"{GPU} needs `__cuda >=12`, and this machine has none"
        _on(monkeypatch, "12.4")
        assert choose(found) == (GPU, "this machine has `__cuda` 12.4")
        assert choose(found, CPU) == (CPU, "it was named")
        assert choose(found, HERE).platform == GPU
        _on(monkeypatch, "11.8")
        assert "this machine has 11.8" in choose(found).reason


def test_where_none_fits_the_error_says_what_the_machine_lacks(gpu: Story):
    with gpu.registry() as registry:
        found = find("mlp/only", registry, gpu.config, {})
        with pytest.raises(FatalError, match="needs `__cuda >=12`, and this machine has none") as caught:
            choose(found)
        assert "--platform" in caught.value.hint
        assert "CONDA_OVERRIDE_CUDA" in caught.value.hint
        with pytest.raises(FatalError, match=f"is not locked for `{OTHER}-cpu`"):
            choose(found, f"{OTHER}-cpu")


def test_for_another_machine_its_only_variant_is_taken_and_several_are_an_error(gpu: Story):
    with gpu.registry() as registry:
        assert choose_for(find("mlp/far", registry, gpu.config, {}), OTHER, Output()) == f"{OTHER}-cpu"
        with pytest.raises(FatalError, match="a machine far away"):
            choose_for(find("mlp/gpu", registry, gpu.config, {}), HERE, Output())


def test_from_a_name_to_a_running_command_the_machine_decides(gpu: Story):
    gpu.call("publish")
    command = ("run", "mlp/gpu:v1", "--", "sh", "-c", "ls $CONDA_PREFIX/conda-meta")
    told = gpu.run(*command, CONDA_OVERRIDE_CUDA="12.4")
    assert "gpu-thing-1.0-cuda120_0.json" in told.out
    assert f"mlp/gpu:v1: {GPU}, since this machine has `__cuda` 12.4" in told.err
    told = gpu.run(*command, CONDA_OVERRIDE_CUDA="")
    assert "gpu-thing-1.0-cpu_0.json" in told.out
    told = gpu.run("run", "--platform", GPU, *command[1:], CONDA_OVERRIDE_CUDA="")
    assert "gpu-thing-1.0-cuda120_0.json" in told.out
    told = gpu.run("create", "mlp/only:v1", check=1, CONDA_OVERRIDE_CUDA="")
    assert "`mlp/only:v1` has no variant that fits this machine" in told.err
    elsewhere = {"CONDA_OVERRIDE_CUDA": "", "ENVTAG_HOME": str(gpu.place / "elsewhere")}
    told = gpu.run("create", "mlp/only:v1", "--platform", GPU, "--name", "x", **elsewhere)
    assert f"{GPU}, since it was named, though it needs `__cuda >=12`, and this machine has none" in told.err
    assert "`gpu-thing 1.0 cuda120_0` needs `__cuda >=12.0`, and this machine has none" in told.err


def test_a_store_alone_knows_the_variants_too(gpu: Story):
    gpu.call("publish")
    store = gpu.config.directories.default_store.as_uri()
    elsewhere = {"ENVTAG_STORE": store, "ENVTAG_REGISTRY": "https://127.0.0.1:9/none", "CONDA_OVERRIDE_CUDA": "12.4"}
    told = gpu.run("show", "mlp/gpu:v1", "--json", cwd=gpu.place, **elsewhere)
    assert f'"platform": "{GPU}"' in told.out


def test_diff_list_verify_pack_and_gc_know_variants_by_their_names(gpu: Story):
    gpu.call("publish")
    assert gpu.call("verify", "--all").code == 0
    assert f"{CPU} {GPU}" in gpu.call("list").out
    assert GPU in gpu.call("diff", "mlp/only:v1", "mlp/gpu:v1", "--json").out
    packed = gpu.run("pack", "mlp/gpu:v1", "-o", str(gpu.place), CONDA_OVERRIDE_CUDA="12.4")
    assert f"mlp-gpu-v1-{GPU}.tar" in packed.out
    archive = gpu.place / f"mlp-gpu-v1-{GPU}.tar"
    told = gpu.run("unpack", str(archive), "--prefix", str(gpu.place / "unpacked"))
    assert told.code == 0
    assert gpu.call("gc").code == 0
    assert gpu.call("publish", "--platform", HERE, "--dry-run").code == 0
