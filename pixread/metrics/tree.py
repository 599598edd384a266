"""Tree edit similarity: do the nodes stand where they should, and does each leaf say what it should?

The measure is that of TEDS (Zhong et al. 2020, "Image-based table recognition", section 4) and of the NTED of
Kosmos-2.5: 1 - tree edit distance / nodes of the larger tree. Deleting or inserting a node costs 1. Changing one into
another of its kind costs the normalised edit distance of their texts (0..1; inner nodes have no text, hence 0), into
one of another kind (text, image, inner) costs 1.

The distance is Zhang and Shasha's (1989), written out here because the `apted` package (1.0.3) is not to be relied on:
with fractional costs for changing inner nodes its distance is too large for one in seventy pairs of random small trees
(with the costs above no such pair was found, but nothing explains why), and it recurses as deep as the trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from pixread.records import Node

# Cells of the dynamic programme, of all key root pairs together, up to which the distance is computed exactly: about
# two seconds. Two bushy trees of 300 nodes, or two flat ones of 500, stay below it; regions have 10 to 100 nodes.
MAX_CELLS = 1_000_000

Label = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TreeScore:
    """similarity: 0..1. exact: False where the trees were too large and `similarity` is the sequence approximation."""

    similarity: float
    exact: bool = True


@dataclass(frozen=True, slots=True)
class _Flat:
    """A tree in post-order. leftmost[i]: the post-order number of the leftmost leaf below node i."""

    labels: list[Label]
    leftmost: list[int]

    def key_roots(self) -> list[int]:
        """The nodes whose forests have to be worked out: the last node of every leftmost path, ascending."""
        return sorted({left: node for node, left in enumerate(self.leftmost)}.values())

    def cells(self) -> int:
        return sum(node - self.leftmost[node] + 1 for node in self.key_roots())


def tree_similarity(prediction: Node, truth: Node, *, max_cells: int = MAX_CELLS) -> TreeScore:
    """1 - tree edit distance / nodes of the larger tree, never below 0; symmetric; equal trees give 1.

    Boxes, words and confidences of the nodes play no part. The distance of two trees of very different shape (a chain
    and a fan) can exceed the size of the larger one; such pairs score 0.

    Where the exact distance would take more than `max_cells` steps, the trees are compared as the sequences of their
    opening and closing brackets and leaves instead (edit distance with costs 0 and 1, by the longer sequence).
    """
    # Both trees may be mirrored without changing their distance; the cheaper reading direction is taken.
    pairs = [(_flatten(prediction, mirrored=m), _flatten(truth, mirrored=m)) for m in (False, True)]
    costs = [a.cells() * b.cells() for a, b in pairs]
    if min(costs) > max_cells:
        return TreeScore(Levenshtein.normalized_similarity(_brackets(prediction), _brackets(truth)), exact=False)
    a, b = pairs[costs.index(min(costs))]
    return TreeScore(max(0.0, 1.0 - _distance(a, b) / max(len(a.labels), len(b.labels))))


def _label(node: Node) -> Label:
    if node.text is not None:
        return "text", node.text
    if node.is_image:
        return "image", f"{node.image or ''}\n{node.alt or ''}"
    return "inner", ""


def _flatten(root: Node, *, mirrored: bool) -> _Flat:
    """Post-order without recursion: what a model writes may be nested deeper than Python's stack.

    A node comes after its children, so the nodes are listed parent first, last child first, and then reversed.
    """
    labels: list[Label] = []
    sizes: list[int] = []
    parents: list[int] = []
    stack = [(root, -1)]
    while stack:
        node, parent = stack.pop()
        number = len(labels)
        labels.append(_label(node))
        parents.append(parent)
        sizes.append(1)
        children = reversed(node.children) if mirrored else node.children
        stack.extend((child, number) for child in children)
    for number in range(len(labels) - 1, 0, -1):
        sizes[parents[number]] += sizes[number]
    last = len(labels) - 1
    # The subtree of a node is the contiguous run that ends with it, and starts with its leftmost leaf.
    return _Flat(labels[::-1], [last - number - sizes[number] + 1 for number in range(last, -1, -1)])


def _change_costs(a: Sequence[Label], b: Sequence[Label]) -> list[list[float]]:
    """Cost of changing node i of a into node j of b; each pair of different labels is compared once."""
    costs: dict[tuple[Label, Label], float] = {}

    def cost(label_a: Label, label_b: Label) -> float:
        if label_a[0] != label_b[0]:
            return 1.0
        pair = (label_a, label_b)
        if pair not in costs:
            costs[pair] = Levenshtein.normalized_distance(label_a[1], label_b[1])
        return costs[pair]

    return [[cost(label_a, label_b) for label_b in b] for label_a in a]


def _distance(a: _Flat, b: _Flat) -> float:
    """The distances of all pairs of subtrees, key roots in ascending order; the last one is the answer."""
    change = _change_costs(a.labels, b.labels)
    trees = [[0.0] * len(b.labels) for _ in a.labels]
    key_roots = b.key_roots()
    for i in a.key_roots():
        for j in key_roots:
            _fill(i, j, a.leftmost, b.leftmost, change, trees)
    return trees[-1][-1]


def _fill(
    i: int, j: int, left_a: list[int], left_b: list[int], change: list[list[float]], trees: list[list[float]]
) -> None:
    """Works out the forest distances below key roots i and j, and stores those that are distances of whole trees."""
    start_a, start_b = left_a[i], left_b[j]
    above = [float(k) for k in range(j - start_b + 2)]
    forests = [above]
    for row_number, x in enumerate(range(start_a, i + 1), start=1):
        row = [float(row_number)]
        whole_row = left_a[x] == start_a
        # The forest left over when the whole subtree of x is taken away.
        before = forests[left_a[x] - start_a]
        for column, y in enumerate(range(start_b, j + 1), start=1):
            best = min(above[column], row[-1]) + 1.0
            if whole_row and left_b[y] == start_b:
                best = min(best, above[column - 1] + change[x][y])
                trees[x][y] = best
            else:
                best = min(best, before[left_b[y] - start_b] + trees[x][y])
            row.append(best)
        forests.append(row)
        above = row


def _brackets(root: Node) -> list[Label]:
    """The tree as one sequence: a leaf is its label, an inner node an opening mark, its children and a closing mark."""
    marks: list[Label] = []
    stack: list[Node | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:
            marks.append(("close", ""))
            continue
        marks.append(_label(node))
        if not (node.is_text or node.is_image):
            stack.append(None)
            stack.extend(reversed(node.children))
    return marks
