"""Every rule of `envtag check`, with what holds while it has nothing to say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RULES: Mapping[str, str] = MappingProxyType(
    {
        # What is released stays released (`ledger`).
        "ledger-append-only": "A release line whose tag is published is neither changed, moved nor removed.",
        "ledger-matches-locks": "A new release line names the locks that are committed with it.",
        "ledger-canonical": "`tags.yml` has the bytes that envtag writes.",
        "pointer-released": "`stable` and `candidate` name tags that are published.",
        # What git and the store hold of it (`refs`, `replicas`).
        "tag-matches-ledger": "A published tag holds what its release line says.",
        "tag-moved": "A tag is the same here and on the remote, and is on a merged commit that holds what it released.",
        "tag-unreleased": "Every git tag of an environment has a release line.",
        "tags-unknown": "The remote could be asked for its tags.",
        "replica-matches-tag": "The store's replica of a tag says what the tag says.",
        # Files (`files`).
        "file-plain": "What is below `envs/` is plain files: no links, no repositories within it.",
        "file-size": "Files are no bigger than envtag reads.",
        "file-malformed": "Settings, specs, ledgers and locks can be read.",
        # Locks (`locks`).
        "lock-fresh": "A lock answers the request of the spec beside it.",
        "lock-platforms": "There is one lock for each platform that `envtag.yml` names, and no other.",
        "lock-complete": "What a package of a lock depends on is in the lock.",
        "lock-hashed": "Every package of a lock has its hashes.",
        "lock-canonical": "A lock has the bytes that envtag writes.",
        # Secrets and places (`secrets`, `hosts`).
        "no-credentials": "No file holds a credential.",
        "no-local-paths": "Nothing names a file of somebody's machine.",
        "no-unknown-hosts": "Packages come from declared channels and indices.",
        # Names (`naming`).
        "name-legal": "The name of an environment is legal everywhere.",
        "name-collision": "No two names are the same where case does not count, and none is confusingly alike.",
        "ref-clash": "No git tag is in the way of the tags of an environment.",
        # Owners (`owners`).
        "codeowners-parse": "GitHub can read every line of CODEOWNERS.",
        "codeowners-cover": "Every file of an environment has an owner.",
        # Signatures (`signing`).
        "signers-changed": "Who may sign releases, and that they must, stays as it is.",
        # Open namespaces (`opened`).
        "namespaces-changed": "Which namespaces are open stays as it is.",
        "namespace-open": "No environment of an open namespace is on the default branch.",
        # Policy (`policies`).
        "policy-malformed": "`[tool.envtag]` and its policy can be read.",
        "policy-changed": "The policy that judges a change is the one from before it.",
        "policy-exempt": "Exemptions are shown, and end on their day.",
        "policy-channel": "Channels are those that the policy allows.",
        "policy-index": "Indices are those that the policy allows.",
        "policy-banned": "No banned package is used.",
        "policy-license": "Licences are known, and those that the policy allows.",
        "policy-age": "Packages were published long enough ago.",
        "policy-size": "The packages of a platform weigh no more than is allowed.",
        "policy-platform": "The platforms that the policy requires are locked for.",
        "policy-python": "Python is pinned where that is required, and is one that the policy allows.",
    }
)
