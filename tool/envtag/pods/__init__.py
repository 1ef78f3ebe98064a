"""Environments on machines that have a Python and a bucket, and nothing else: what they need is in the store.

At deploy, `delivery` sees to it that the store has an environment whole, `runtime` that it has what hydrates one, and
`command` says it all in shell commands. In the pod, `s3_get`, `gs_get` or `az_get` (the standard library alone;
`job_get` where it has to be short) fetches `bundle`'s archive of pure Python, and `bootstrap`, which is in it, does the
rest.
"""

from __future__ import annotations
