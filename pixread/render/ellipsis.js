// Where `text-overflow` and `-webkit-line-clamp` cut a line and draw dots in its place. Runs at the start of every document, in the
// renderer's own world, and leaves one function there for snapshot.js.
//
// pixreadEllipsis(element, style) gives null for an element that cuts nothing, else a function from a piece (see words.js) to the
// pieces that are drawn of it: itself, shortened with the dots at its end, the dots alone (`attached` to the word before), or none. `rectsOf(start, end)` of the
// call has the rectangles of a part of the piece's text.
globalThis.pixreadEllipsis = (element, style) => {
  const clamped = parseInt(style.webkitLineClamp, 10) > 0 && element.scrollHeight > element.clientHeight + 1;
  const overflow = style.textOverflow;
  const cutsLines = overflow !== "clip" && style.overflowX !== "visible" && element.scrollWidth > element.clientWidth;
  if (!clamped && !cutsLines) return null;
  const outer = element.getBoundingClientRect();
  const scale = element.offsetWidth ? outer.width / element.offsetWidth : 1; // of transforms and zoom; no line is cut that is turned
  const inset = (side) => (parseFloat(style[`border${side}Width`]) + parseFloat(style[`padding${side}`]) || 0) * scale;
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const dots = clamped ? "\u2026" : (/"([^"]*)"$/.exec(overflow)?.[1] ?? "\u2026");
  const width = canvas.measureText(dots).width * scale;

  // Along the line everything is counted in the direction of reading, so that one comparison serves both.
  const backward = style.direction === "rtl";
  const near = (rect) => (backward ? -rect.right : rect.left);
  const far = (rect) => (backward ? -rect.left : rect.right);
  const edge = backward ? -(outer.left + inset("Left")) : outer.right - inset("Right");
  const limit = edge - width;
  const middle = (rect) => (rect.top + rect.bottom) / 2;
  const range = element.ownerDocument.createRange();
  range.selectNodeContents(element);
  const content = [...range.getClientRects()].filter((rect) => rect.width > 0 && rect.height > 0);
  const bottom = outer.bottom - inset("Bottom");
  const last = Math.max(...content.map(middle).filter((y) => y < bottom));
  const finished = new Set(); // lines that have their dots, by a piece's middle
  const at = (start, rect) => new DOMRect(backward ? -start - width : start, rect.top, width, rect.height);

  return (piece, rectsOf) => {
    const { rect } = piece;
    const isLine = (other) => Math.abs(middle(other) - middle(rect)) < rect.height / 2;
    const end = Math.max(...content.filter(isLine).map(far));
    const isLast = clamped && Math.abs(last - middle(rect)) < rect.height / 2;
    if (isLast && end + width <= edge) {
      if (far(rect) < end - 1) return [piece];
      return [{ ...piece, text: piece.text + dots, rect: united(rect, at(far(rect), rect)) }];
    }
    if (!isLast && (clamped || end <= edge + 0.5)) return [piece];
    if (far(rect) <= limit) return [piece];
    const line = Math.round(middle(rect));
    if ([line - 1, line, line + 1].some((y) => finished.has(y))) return [];
    finished.add(line);
    let kept = piece.start;
    let stop = null;
    for (let i = piece.start; i < piece.end; i++) {
      const letter = rectsOf(i, i + 1)[0];
      if (letter && far(letter) > limit) break;
      if (letter) [kept, stop] = [i + 1, letter];
    }
    if (stop === null) {
      const blankFits = near(rect) <= limit + 0.5; // else the dots follow the word before without one
      return [{ ...piece, text: dots, rect: at(Math.min(near(rect), limit), rect), end: piece.start, attached: !blankFits }];
    }
    const shown = united(new DOMRect(rect.left, rect.top, rect.width, rect.height), null, near(rect), far(stop));
    return [{ text: piece.text.slice(0, kept - piece.start) + dots, rect: united(shown, at(far(stop), rect)), start: piece.start, end: kept }];
  };
  function united(a, b, from, until) {
    if (b === null) return new DOMRect(backward ? -until : from, a.top, until - from, a.height);
    const left = Math.min(a.left, b.left);
    return new DOMRect(left, a.top, Math.max(a.right, b.right) - left, a.height);
  }
};
