from __future__ import annotations

import pytest

from envtag.request import Login
from envtag.spec.logins import take_login
from envtag.spec.model import MalformedError


def test_a_text_without_variables_is_left_alone():
    assert take_login("https://u:p@h.example/s") == ("https://u:p@h.example/s", None)


def test_variables_in_place_of_user_and_password_are_taken_out():
    url, login = take_login("https://${USER}:${TOKEN}@h.example/s")
    assert (url, login) == ("https://h.example/s", Login(host="h.example", username="${USER}", password="${TOKEN}"))


@pytest.mark.parametrize(
    "text",
    [
        "https://${HOST}/s",
        "${URL}",
        "https://${A}@h.example/${B}",
        "https://user:hunter2${A}@h.example/s",
        "https://x${A}:${B}@h.example/s",
        "https://${lower}@h.example/s",
        "https://${A}:hunter2@h.example/s",
    ],
)
def test_variables_elsewhere_and_halves_of_a_login_are_refused(text):
    with pytest.raises(MalformedError) as raised:
        take_login(text)
    assert "hunter2" not in raised.value.reason + raised.value.hint
