"""A page goes in (HTML file or address), a Screenshot comes out: its pixels and the tree of what can be seen on it.

`page.render_page` is the way through; `browser.Browser` holds the Chromium it needs. What counts as visible, and what
the tree holds, stands in docs/rendering.md.
"""
