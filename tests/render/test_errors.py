"""pixread.render.errors: what the browser's names of errors mean."""

import pytest

from pixread.render.errors import not_loaded


@pytest.mark.parametrize(
    ("error", "reason", "sentence"),
    [
        # Full Chromium says so of a password that nobody gives, now and then; the page was called unreadable.
        ("net::ERR_INVALID_AUTH_CREDENTIALS", "http_error", "status 401"),
        ("net::ERR_HTTP_RESPONSE_CODE_FAILURE", "http_error", "error status"),
        ("net::ERR_ABORTED", "not_html", "gives no page"),
        ("net::ERR_NAME_NOT_RESOLVED", "unreadable", "ERR_NAME_NOT_RESOLVED"),
    ],
)
def test_the_reason_of_an_error(error, reason, sentence):
    found = not_loaded(error)
    assert found.reason == reason
    assert sentence in str(found)
