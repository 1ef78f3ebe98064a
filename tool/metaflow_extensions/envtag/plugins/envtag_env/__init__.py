"""Environments of envtag as environments of Metaflow's steps.

These modules run in three kinds of processes: the launcher, which has envtag; the trampoline of a remote step, which
runs in the launcher's Python; and the task, which runs in the step's own environment and has neither envtag nor a
recent Python for certain. At module level they import the standard library and Metaflow only, and they keep to the
syntax of Python 3.8.

How they go together, and what others may rely on:

- `requirements` merges what decorators say into one `StepRequirement` a step. It imports nothing of Metaflow.
- `environment` is `--environment=conda` and `--environment=pypi`. At launch, `init_environment` has all distinct
  requirements looked up or solved (`launch`), and the environments of local steps made. `prepared(step)` is what came
  of it: `identity.Prepared`, or None for a step that runs in the launcher's Python.
- `launch` asks `envtag.metaflow_host`, a process of the Python that has envtag, which `_METAFLOW_ENVTAG_PYTHON` names
  for runs that are started inside a step.
- `internal` is the decorator on every step that starts it in its environment and records what it ran in.
- `identity` is how a step's environment travels: the variable `_METAFLOW_ENVTAG` (`identity.VARIABLE`) holds it as JSON
  for trampoline and task, and is empty for a step without one. The task's metadata fields are `envtag_id` (the full
  id), `envtag_alias`, `envtag_commit`, `envtag_platform` and `envtag_request` (the merged requirement as JSON).
- `pathspecs` finds what an earlier task ran in, through Metaflow's client; `late` is the program that asks it in a pod.
- `remote` offers what a step on another machine takes: `executable(prepared)`, `bootstrap_commands(prepared,
  datastore_type)` and `install_dependencies(default, datastore_type)`. `Prepared.identity` then has the digest of the
  manifest (`manifest`) and the URL of the store that has it with all packages (`store`); with `fetch_at_exec`,
  `Prepared.late` has what to look up, and `identity.id` is empty until the bootstrap knows it.
"""
