"""Bold, italic, monospaced, links: what the words of a line look like."""
