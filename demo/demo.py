"""The main job, end to end, in a scratch directory: run it with `make demo`.

A registry with a bare remote and a local store; a real requirements.txt locked, published, refused under a taken tag,
extended, promoted, and run by name from a second clone.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REQUIREMENTS = """\
# what the team's jobs import
requests>=2.31
rich
numpy
"""
OTHER_REQUIREMENTS = "requests>=2.31\nhttpx\n"
EXTRA = "itsdangerous==2.1.2\n"
TRAIN = """\
import numpy, requests, sys
print(f"training with numpy {numpy.__version__} and requests {requests.__version__} on Python {sys.version.split()[0]}")
"""
CONDA = """\
channels: [conda-forge]
dependencies:
  - python 3.12.*
  - numpy
  - pip:
      - itsdangerous
"""


class Demo:
    """A scratch directory, an isolated client, and the commands run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        keep = {
            key: value for key, value in os.environ.items() if not key.startswith(("ENVTAG_", "GIT_", "VIRTUAL_ENV"))
        }
        scripts = Path(sys.executable).parent
        self.environment = {
            **keep,
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "GIT_AUTHOR_NAME": "Dana Scientist",
            "GIT_AUTHOR_EMAIL": "dana@example.org",
            "GIT_COMMITTER_NAME": "Dana Scientist",
            "GIT_COMMITTER_EMAIL": "dana@example.org",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def say(self, text: str) -> None:
        """Print what comes next."""
        print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)

    def run(self, command: str, directory: str = "registry", *, expect: int = 0) -> None:
        """Run one command as a person would, and stop the demo if it does not end as expected.

        Each clone is a person of their own: they share the remote and the store, and nothing else.
        """
        print(f"$ {command}", flush=True)
        environment = {
            **self.environment,
            "ENVTAG_HOME": str(self.root / f"home-of-{directory.strip('.') or 'registry'}"),
        }
        done = subprocess.run(shlex.split(command), cwd=self.root / directory, env=environment, check=False)
        if done.returncode != expect:
            sys.exit(f"demo: `{command}` ended with {done.returncode}, not {expect}")
        if expect:
            print(f"(refused with exit code {expect}, as it should be)", flush=True)

    def write(self, path: str, text: str) -> None:
        """Write one file of the story."""
        (self.root / path).write_text(text)
        print(f"$ cat {Path(path).name}", flush=True)
        print("".join(f"    {line}\n" for line in text.splitlines()), end="", flush=True)


def story(demo: Demo) -> None:
    """The whole journey on PyPI packages alone."""
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    demo.say("1. A registry: a git repository with a remote, and a store for the packages")
    demo.run("git init --quiet --bare --initial-branch=main remote.git", ".")
    demo.run(f"envtag init registry --store {(demo.root / 'store').as_uri()}", ".")
    demo.run(f"git remote add origin {demo.root / 'remote.git'}")

    demo.say("2. Lock a requirements.txt under a name, as you would tag a Docker image")
    demo.write("registry/requirements.txt", REQUIREMENTS)
    demo.run(f'envtag resolve -r requirements.txt --python "{minor}" --alias mlp/team/base:v1')
    (demo.root / "registry/requirements.txt").unlink()
    demo.run("git add --all")
    demo.run('git commit --quiet --message "mlp/team/base:v1"')
    demo.run("git push --quiet --set-upstream origin main")

    demo.say("3. Publish: packages to the store, then the git tag, which nobody can move")
    demo.run("envtag publish mlp/team/base")
    demo.run("git tag --list")

    demo.say("4. The tag is taken: the same content is fine, other content is refused")
    demo.write("other.txt", OTHER_REQUIREMENTS)
    demo.run(f'envtag resolve -r ../other.txt --python "{minor}" --alias mlp/team/base:v1', expect=1)
    demo.run("envtag publish mlp/team/base")

    demo.say("5. Extend it: every package of the base is kept to the byte")
    demo.write("extra.txt", EXTRA)
    demo.run("envtag resolve --using mlp/team/base:v1 -r ../extra.txt --alias mlp/team/tools:v1")
    demo.run("envtag alias mlp/team/base:v1 mlp/team/base:stable")
    demo.run("git add --all")
    demo.run('git commit --quiet --message "mlp/team/tools:v1 on top of the base; the base is stable"')
    demo.run("git push --quiet")
    demo.run("envtag publish")

    demo.say("6. From another clone, by name, with no index in reach")
    demo.run("git clone --quiet remote.git colleague", ".")
    demo.write("colleague/train.py", TRAIN)
    demo.run("envtag run --offline mlp/team/base:v1 -- python train.py", "colleague")
    demo.run(
        "envtag run mlp/team/base:stable -- python -c \"import rich; print(rich.__name__, 'is here')\"", "colleague"
    )
    demo.run(
        "envtag run mlp/team/tools:v1 -- python -c \"import itsdangerous, numpy; print('both are here')\"", "colleague"
    )

    demo.say("7. See what there is")
    demo.run("envtag list", "colleague")
    demo.run("envtag show mlp/team/tools:v1", "colleague")


def conda_story(demo: Demo) -> None:
    """A mixed environment, where a conda channel can be reached."""
    if not _channel_is_reachable():
        demo.say("8. (No conda channel can be reached from here, so no mixed environment is shown)")
        return
    demo.say("8. A mixed environment: Python and numpy from conda-forge, the rest from PyPI")
    demo.write("environment.yml", CONDA)
    demo.run("envtag resolve -f ../environment.yml --alias mlp/team/mixed")
    demo.run('envtag run mlp/team/mixed -- python -c "import numpy, itsdangerous; print(numpy.__file__)"')


def _channel_is_reachable() -> bool:
    import requests

    try:
        return requests.head("https://conda.anaconda.org/conda-forge/noarch/repodata.json.zst", timeout=5).ok
    except requests.RequestException:
        return False


def main() -> None:
    """Run the demo; the scratch directory is removed at the end unless DEMO_KEEP is set."""
    start = time.monotonic()
    root = Path(tempfile.mkdtemp(prefix="envtag-demo-"))
    try:
        demo = Demo(root)
        story(demo)
        conda_story(demo)
        demo.say(f"done in {time.monotonic() - start:.0f} s")
    finally:
        if os.environ.get("DEMO_KEEP"):
            print(f"kept {root}")
        else:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
