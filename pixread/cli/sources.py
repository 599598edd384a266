"""What `pixread parse` is given, opened: pictures, and HTML files and addresses through the browser."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pixread.filenames import find_path, is_system_file
from pixread.render.sniff import is_page_name

if TYPE_CHECKING:
    from PIL import Image

    from pixread.render.browser import Browser


class Sources:
    """Opens one source after the other. The browser is started when the first page needs it, and ended at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def open(self, source: str) -> Image.Image:
        """The picture, or the screenshot of the page. Raises ValueError, in one sentence that names the source."""
        from pixread.factory.sources import is_address
        from pixread.images.open import open_picture

        if is_address(source):
            return open_picture(self._screenshot(source, allow_network=True), name=source)
        if is_page_name(Path(source).name) and not is_system_file(Path(source).name):
            return open_picture(self._screenshot(str(find_path(source) or source), allow_network=False), name=source)
        return open_picture(source)

    def _screenshot(self, source: str, *, allow_network: bool) -> bytes:
        """allow_network: a file may load only what lies beside it; who names an address wants what it shows."""
        from pixread.render.page import RenderError, RenderSettings, render_page

        browser = self._open_browser(allow_network=allow_network)
        try:
            return render_page(browser, source, settings=RenderSettings(allow_network=allow_network)).png
        except RenderError as error:
            raise ValueError(str(error) if source in str(error) else f"{source}: {error}") from error

    def _open_browser(self, *, allow_network: bool) -> Browser:
        """The browser at hand, or one that is as open to the network as it should be."""
        from pixread.render.browser import Browser

        if self._browser is None or self._browser.allow_network != allow_network:
            self._stack.close()
            self._browser = None
            self._browser = self._stack.enter_context(Browser(allow_network=allow_network))
        return self._browser
