"""Sixty requests as people make them of conda-forge, and what rattler alone answers to one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from envtag.engines import CondaProblem
from envtag.errors import UnsolvableError
from envtag.package import Package
from envtag.platforms import virtual_packages
from envtag.request import CondaRequirement
from envtag.util import aio

Records: TypeAlias = "set[tuple[str, ...]]"

CONDA_FORGE = "https://conda.anaconda.org/conda-forge"

#: The specs of each request; a Python is added to those that name none.
REQUESTS: tuple[str, ...] = (
    "numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "numpy pandas", "numpy scipy matplotlib",
    "pandas pyarrow", "pyarrow", "dask", "dask distributed", "jupyterlab", "notebook", "ipython", "ipykernel",
    "requests", "httpx", "flask", "jinja2", "fastapi", "fastapi uvicorn", "pydantic", "sqlalchemy",
    "sqlalchemy psycopg2", "boto3", "s3fs", "gcsfs", "azure-identity", "pytest", "pytest hypothesis", "black", "mypy",
    "flake8", "sphinx", "cython", "numba", "xgboost", "lightgbm", "catboost", "pytorch", "pytorch numpy pandas",
    "transformers", "datasets", "huggingface_hub", "langchain", "geopandas", "rasterio", "xarray netcdf4", "bokeh",
    "altair", "plotly", "statsmodels", "networkx", "polars", "python-duckdb", "mlflow", "dvc", "imageio", "h5py",
    "numpy <2 pandas >=2",
)  # fmt: skip
_PYTHON = "python 3.11.*"


def specs_of(request: str) -> list[str]:
    """A request's match specs: words that begin with a sign bound the name before them."""
    specs: list[str] = []
    for word in request.split():
        if word[0] in "<>=":
            specs[-1] += f" {word}"
        else:
            specs.append(word)
    return [_PYTHON, *specs]


def problem_of(specs: Sequence[str], platform: str) -> CondaProblem:
    """The same for an engine of envtag's."""
    parts = [text.partition(" ") for text in specs]
    return CondaProblem(
        platform=platform,
        channels=(CONDA_FORGE,),
        requirements=tuple(CondaRequirement(name=name, version=version) for name, _, version in parts),
        virtual_packages=virtual_packages(platform, {}),
    )


def told_apart(answer: Sequence[Package] | UnsolvableError) -> Records | None:
    """What tells the packages of an answer from all others; None where there is no solution."""
    if isinstance(answer, UnsolvableError):
        return None
    return {(item.name, item.version, item.build, item.subdir, item.sha256, item.md5) for item in answer}


def bare(cache: Path, channel: str, asked: Sequence[tuple[Sequence[str], str]]) -> list[Records | None]:
    """What rattler alone answers to some specs on some platforms, in their order; None where there is no solution.

    Args:
        cache: Directory for repodata.
        channel: URL of the channel that is really asked.
        asked: Specs and platform of each request.
    """
    from rattler import Gateway

    async def all_of_them() -> list[Records | None]:
        gateway = Gateway(cache_dir=cache, show_progress=False)
        return list(await asyncio.gather(*(_bare(gateway, channel, *item) for item in asked)))

    return aio.run(all_of_them())


async def _bare(gateway: Any, channel: str, specs: Sequence[str], platform: str) -> Records | None:
    from rattler import Channel, ChannelPriority, MatchSpec, Subdir, solve
    from rattler.exceptions import SolverError

    try:
        records = await solve(
            [Channel(channel)],
            [MatchSpec(text, strict=False) for text in specs],
            gateway=gateway,
            platforms=[Subdir(platform), Subdir("noarch")],
            virtual_packages=_machine(platform),
            channel_priority=ChannelPriority.Strict,
        )
    except SolverError:
        return None
    return {_told_apart(item) for item in records}


def _told_apart(record: Any) -> tuple[str, ...]:
    name, hashes = record.name.normalized, (record.sha256.hex(), record.md5.hex())
    return (name, str(record.version), str(record.build), record.subdir, *hashes)


def _machine(platform: str) -> list[Any]:
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version

    parts = [(name, *value.partition(" ")) for name, value in virtual_packages(platform, {}).items()]
    return [
        GenericVirtualPackage(PackageName(name), Version(version), BuildString(build or "0"))
        for name, version, _, build in parts
    ]
