// How the letters of an element are drawn: their size, their direction, their style, and where their baseline lies. Runs at the start of
// every document, in the renderer's own world, and leaves one function there for snapshot.js.
//
// Lettering is {size, vertical, turn, flags, ascent}: size in page pixels; turn, the direction of a line, in radians, clockwise;
// flags, 1 bold + 2 italic + 4 monospaced + 8 link; ascent, the share of a text's box that lies above the baseline.
globalThis.pixreadLetters = ({ MAX_BLUR_EM }) => {
  const MIN_FONT_PX = 3;
  const BOLD = 600; // CSS Fonts 4: the least weight that is looked for among the bold faces
  const UPRIGHT = 0.02; // radians
  const { scaleOf } = globalThis.pixreadSpace;

  let ownPen = null;
  const pen = () => (ownPen ??= document.createElementNS("http://www.w3.org/1999/xhtml", "canvas").getContext("2d"));
  const fonts = new Map(); // CSS font -> {ascent, mono}
  const fontOf = (style) => {
    const name = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    if (!fonts.has(name)) {
      pen().font = name;
      const narrow = pen().measureText("i");
      const [above, below] = [narrow.fontBoundingBoxAscent, narrow.fontBoundingBoxDescent];
      fonts.set(name, { ascent: above / (above + below || 1), mono: Math.abs(narrow.width - pen().measureText("m").width) < 0.01 });
    }
    return fonts.get(name);
  };
  // Null where nobody could read it.
  const lettering = (element, style, space) => {
    if (style.visibility !== "visible") return null;
    const { scale, angle, mirrored } = scaleOf(element, space);
    const size = parseFloat(style.fontSize) * scale;
    if (mirrored || size < MIN_FONT_PX || space.blur > MAX_BLUR_EM * size) return null;
    const vertical = style.writingMode.startsWith("vertical");
    const { ascent, mono } = fontOf(style);
    const [bold, italic] = [Number(style.fontWeight) >= BOLD, style.fontStyle !== "normal"];
    const flags = bold + 2 * italic + 4 * mono + 8 * (element.closest("a[href]") !== null);
    return { size, vertical, turn: vertical ? angle + Math.PI / 2 : angle, flags, ascent };
  };
  // Of a box of text that nothing cuts off. Null for turned text.
  const baselineOf = (box, { turn, ascent }) => (Math.abs(turn) < UPRIGHT ? box.t + ascent * (box.b - box.t) : null);
  const widthOf = (style, text) => {
    pen().font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    return pen().measureText(text).width;
  };

  return { lettering, baselineOf, widthOf };
};
