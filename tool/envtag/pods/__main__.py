"""`python -m envtag.pods`: what a pod runs to have its environment."""

from __future__ import annotations

from envtag.pods.bootstrap import main

if __name__ == "__main__":
    main()
