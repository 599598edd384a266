"""The one error of this room: why a page gave no screenshot, as a reason to count and a sentence to read."""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal["timeout", "crash", "too_large", "empty", "not_html", "http_error", "unreadable", "refused"]

REASONS: tuple[str, ...] = get_args(Reason)


class RenderError(ValueError):
    """A page that could not be rendered. `reason` is one of REASONS; the message is one sentence."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason

    def __reduce__(self) -> tuple[type[RenderError], tuple[str, str]]:
        # Errors travel from worker processes; the default would call the class with the message alone.
        return type(self), (self.reason, str(self))


def not_loaded(error: str) -> RenderError:
    """What it means that Chromium could not open an address (its name of the error: net::ERR_...)."""
    if error.endswith("ERR_HTTP_RESPONSE_CODE_FAILURE"):
        return RenderError("http_error", "the server answered with an error status and no page")
    if error.endswith(
        "ERR_INVALID_AUTH_CREDENTIALS"
    ):  # how browsers with windows may say it, who would ask for a password
        return RenderError("http_error", "the server answered with status 401")
    if error.endswith("ERR_ABORTED"):
        return RenderError("not_html", "the address gives no page: a download, or an answer without content")
    return RenderError("unreadable", f"the page could not be loaded: {error}")
