"""Hooks for git servers that have no rulesets: the same rules in POSIX sh, which need git and nothing else.

`_DECISION` is the one decision, a function of ref, old and new value that reads the repository and changes nothing.
The hooks differ in how git (or gitolite, or GitLab) hands those over. See githooks(5), `update` and `pre-receive`.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

Kind = Literal["update", "pre-receive", "gitolite"]
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Counted up with every change of what a hook does, so that an older one is known as such.
VERSION = 2
#: Where a hook that was there before is kept, and run after ours, below the directory of hooks.
CHAINED = "update.local"

_MARK = re.compile(r"^# envtag-hook (?P<kind>[a-z-]+) (?P<version>\d+)$", re.MULTILINE)
_HEAD = """\
#!/bin/sh
# envtag-hook {kind} {version}
# Written by `envtag hook`: what is changed here is lost when it is written again.
#
# - a tag, at any depth, is never moved and never deleted;
# - a new tag NAME@TAG is annotated, says its own name, and is of a commit of the default branch, or of the branch of
#   an open namespace: one that pyproject.toml there declares, as [tool.envtag.namespaces.NAME] with open = true;
# - these branches are neither deleted nor forced.

# Whoever can push could push refs/replace/ too, which must not decide what the history is.
GIT_NO_REPLACE_OBJECTS=1
LC_ALL=C
export GIT_NO_REPLACE_OBJECTS LC_ALL

"""
_DECISION = r"""
envtag_no() {
    echo "envtag: $1" >&2
    return 1
}

# The name of no object is all zeros.
envtag_none() {
    case $1 in
    *[!0]*) return 1 ;;
    esac
}

# envtag_decide REF OLD NEW DEFAULT HEAD: succeeds, or says why not.
# DEFAULT is the default branch's ref, HEAD the commit that it is at, or will be if the same push moves it.
envtag_decide() {
    case $1 in
    refs/tags/*)
        if ! envtag_none "$2"; then
            envtag_no "$1 is there: a tag is never moved and never deleted, take another one"
            return 1
        fi
        if envtag_none "$3"; then
            return 0
        fi
        case $1 in
        *@*) envtag_new_tag "$1" "$3" "$5" || return 1 ;;
        esac
        ;;
    "$4") envtag_forward "$1 is the default branch" "$2" "$3" || return 1 ;;
    refs/heads/envtag/open/*) envtag_forward "$1 is of an open namespace" "$2" "$3" || return 1 ;;
    esac
    return 0
}

# envtag_forward WHAT OLD NEW: a branch that is neither deleted nor forced.
envtag_forward() {
    if envtag_none "$2"; then
        return 0
    fi
    if envtag_none "$3"; then
        envtag_no "$1: it is never deleted"
        return 1
    fi
    if ! git merge-base --is-ancestor "$2" "$3"; then
        envtag_no "$1: it is never forced"
        return 1
    fi
}

# envtag_open NAME HEAD: prints the branch of the open namespace that a name is in, by the pyproject.toml of HEAD.
envtag_open() {
    envtag_space=$1
    while :; do
        if git cat-file blob "$2:pyproject.toml" 2>/dev/null | awk -v "name=$envtag_space" '
            { sub(/\r$/, ""); sub(/[ \t]*(#.*)?$/, "") }
            /^\[/ {
                begin = "[tool.envtag.namespaces."
                within = $0 == begin name "]" || $0 == begin "\"" name "\"]"
            }
            within && /^open[ \t]*=[ \t]*true$/ { found = 1 }
            END { exit !found }
        '; then
            printf '%s\n' "refs/heads/envtag/open/$envtag_space"
            return 0
        fi
        case $envtag_space in
        */*) envtag_space=${envtag_space%/*} ;;
        *) return 1 ;;
        esac
    done
}

# envtag_new_tag REF NEW HEAD
envtag_new_tag() {
    if [ "$(git cat-file -t "$2")" != tag ]; then
        envtag_no "$1 is not an annotated tag: releases are made by envtag publish"
        return 1
    fi
    envtag_header=$(git cat-file tag "$2" | sed -n -e '/^$/q' -e p)
    envtag_name=$(printf '%s\n' "$envtag_header" | sed -n -e 's/^tag //p')
    envtag_type=$(printf '%s\n' "$envtag_header" | sed -n -e 's/^type //p')
    envtag_commit=$(printf '%s\n' "$envtag_header" | sed -n -e 's/^object //p')
    if [ "refs/tags/$envtag_name" != "$1" ]; then
        envtag_no "$1 is a tag that calls itself $envtag_name"
        return 1
    fi
    if [ "$envtag_type" != commit ]; then
        envtag_no "$1 is the tag of a $envtag_type, and not of a commit"
        return 1
    fi
    if [ -n "$3" ] && git merge-base --is-ancestor "$envtag_commit" "$3"; then
        return 0
    fi
    envtag_branch=$(envtag_open "${envtag_name%@*}" "$3")
    if [ -z "$envtag_branch" ] || ! git merge-base --is-ancestor "$envtag_commit" "$envtag_branch" 2>/dev/null; then
        envtag_no "$1 is of a commit that is not on the default branch: merge first"
        return 1
    fi
}

envtag_default=$(git symbolic-ref --quiet HEAD)
envtag_head=$(git rev-parse --verify --quiet 'HEAD^{commit}')
"""
_UPDATE = """
if [ $# -lt 3 ]; then
    echo "envtag: this is a hook: git calls it with REF OLD NEW" >&2
    exit 1
fi
envtag_decide "$1" "$2" "$3" "$envtag_default" "$envtag_head" || exit 1
"""
_CHAIN = """
envtag_local=$(dirname "$0")/{chained}
if [ -x "$envtag_local" ]; then
    exec "$envtag_local" "$@"
fi
"""
_PRE_RECEIVE = r"""
envtag_lines=$(cat)
envtag_failed=0
# The default branch first: a push may bring a commit and its tag at once.
while read -r envtag_old envtag_new envtag_ref; do
    if [ "$envtag_ref" = "$envtag_default" ] && ! envtag_none "$envtag_new"; then
        envtag_head=$envtag_new
    fi
done <<LINES
$envtag_lines
LINES
while read -r envtag_old envtag_new envtag_ref; do
    if [ -n "$envtag_ref" ]; then
        envtag_decide "$envtag_ref" "$envtag_old" "$envtag_new" "$envtag_default" "$envtag_head" || envtag_failed=1
    fi
done <<LINES
$envtag_lines
LINES
exit $envtag_failed
"""


def script(kind: Kind) -> str:
    """The hook as it is installed or printed.

    Args:
        kind: `update` for a bare repository, `pre-receive` for GitLab's server hooks and others that want one answer
            for a whole push, `gitolite` for a VREF, which gitolite calls as git calls `update`.
    """
    body = {
        "update": _UPDATE + _CHAIN.format(chained=CHAINED),
        "pre-receive": _PRE_RECEIVE,
        "gitolite": _UPDATE,
    }[kind]
    return _HEAD.format(kind=kind, version=VERSION) + _DECISION.lstrip("\n") + body


def version_of(text: str) -> int | None:
    """The version of a hook of ours; None for one of somebody else's."""
    found = _MARK.search(text[:400])
    return int(found["version"]) if found is not None else None
