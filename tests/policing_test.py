from __future__ import annotations

from collections.abc import Callable

from support.opened import NAME, declare, published, request, there
from support.story import Story


def test_the_policy_of_the_default_branch_holds_at_publication(make_story: Callable[..., Story]):
    story = make_story(published)
    declare(story, '[tool.envtag.policy]\nbanned = ["prefixed"]\n')
    there(story, "resolve", *request(story, "prefixed"), "--alias", f"{NAME}:v2")
    told = there(story, "publish", NAME, check=1)
    assert f"the policy refuses `{NAME}`" in told.err
    assert "prefixed" in told.err
    assert story.bare.git("tag", "--list", "scratch/*") == f"{NAME}@v1"
    declare(
        story,
        '[[tool.envtag.policy.exemptions]]\nrule = "policy-banned"\nenvironment = "scratch/x"\npackage = "prefixed"\n'
        'reason = "a try"\nexpires = 2999-01-01\n',
    )
    assert f"released {NAME}:v2" in there(story, "publish", NAME).out
