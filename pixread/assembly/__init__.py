"""Lines with text, and pictures -> the tree of a page: reading order, paragraphs, spans, grouping, style."""
