// Which words stand on one visual line. Runs at the start of every document, in the renderer's own world, and leaves one function there
// for snapshot.js. Boxes are {l, t, r, b} in page pixels.
globalThis.pixreadLines = () => {
  const LINE_GAP_EM = 1.5;
  const LINE_OVERLAP = 0.4; // share of the lower box's height
  const LINE_HEIGHT_EM = 1.15;

  let lines = 0;
  const lastLine = new Map(); // block -> its latest line
  const TRANSPARENT = /^(inline|contents|ruby$)/;
  const blockOf = (element) => {
    let node = element;
    while (node.parentElement && TRANSPARENT.test(getComputedStyle(node).display)) node = node.parentElement;
    return node;
  };
  // Where a box lies along its line and across it. `turn` is the direction of the line in radians.
  const spanOf = (box, size, turn) => {
    const quarters = Math.round(turn / (Math.PI / 2));
    if (Math.abs(turn - (quarters * Math.PI) / 2) < 0.02) {
      if (quarters % 2 === 0) return { start: box.l, end: box.r, top: box.t, bottom: box.b };
      return { start: box.t, end: box.b, top: box.l, bottom: box.r };
    }
    const [cos, sin] = [Math.abs(Math.cos(turn)), Math.abs(Math.sin(turn))];
    const height = LINE_HEIGHT_EM * size;
    const width = cos > sin ? (box.r - box.l - height * sin) / cos : (box.b - box.t - height * cos) / sin;
    const [x, y] = [(box.l + box.r) / 2, (box.t + box.b) / 2];
    const along = x * Math.cos(turn) + y * Math.sin(turn);
    const across = y * Math.cos(turn) - x * Math.sin(turn);
    return { start: along - width / 2, end: along + width / 2, top: across - height / 2, bottom: across + height / 2 };
  };
  // The box of a part of one line: where in its length the part begins, and its share of it.
  const partOfLine = (box, { size, turn }, from, share) => {
    const { start, end, top, bottom } = spanOf(box, size, turn);
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const [length, height] = [end - start, bottom - top];
    const along = (from + share / 2 - 0.5) * length; // from the line's middle
    const [x, y] = [(box.l + box.r) / 2 + along * cos, (box.t + box.b) / 2 + along * sin];
    const across = (share * length * Math.abs(cos) + height * Math.abs(sin)) / 2;
    const down = (share * length * Math.abs(sin) + height * Math.abs(cos)) / 2;
    return { l: x - across, t: y - down, r: x + across, b: y + down };
  };
  const lineOf = (block, box, size, turn) => {
    const span = spanOf(box, size, turn);
    const line = lastLine.get(block);
    if (line) {
      const overlap = Math.min(line.bottom, span.bottom) - Math.max(line.top, span.top);
      const lower = Math.min(line.bottom - line.top, span.bottom - span.top);
      const gap = Math.max(span.start - line.end, line.start - span.end);
      if (overlap >= LINE_OVERLAP * lower && gap <= LINE_GAP_EM * Math.max(size, line.size)) {
        for (const side of ["start", "top"]) line[side] = Math.min(line[side], span[side]);
        for (const side of ["end", "bottom"]) line[side] = Math.max(line[side], span[side]);
        line.size = size;
        return line.number;
      }
    }
    lastLine.set(block, { ...span, size, number: lines });
    return lines++;
  };

  return { TRANSPARENT, blockOf, lineOf, partOfLine };
};
