// Reads what can be seen of a page: words with their boxes and lines, and images. The rules stand in docs/rendering.md.
//
// visibility.js must have been run before. argument: {width, height, zoom, maxNodes}: the part of the page that the picture shows in CSS pixels, picture pixels a
//   CSS pixel, and the node budget.
// returns JSON: {title, nodes, tree} or {tooLarge: nodes}; a tree node is
//   {t: text, w: [[word, x, y, width, height, line], ...]} | {i: name or null, a: alt or null, b: [x, y, width, height]} | {c: [nodes]}
(argument) => {
  const { zoom, maxNodes } = argument;
  const MIN_OPACITY = 0.1;
  const MIN_FONT_PX = 3;
  const MIN_IMAGE_PX = 4;
  const MIN_SEEN = 0.5; // share of a word's box that must not be clipped away
  const SELECT_INDENT = 4; // px that Chromium leaves before the text of a drop-down list
  const LINE_GAP_EM = 1.5;
  const LINE_OVERLAP = 0.4; // share of the lower box's height
  const SKIPPED = new Set(
    "SCRIPT STYLE TEMPLATE NOSCRIPT HEAD META LINK TITLE OPTION OPTGROUP DATALIST AUDIO SOURCE TRACK PARAM AREA MAP".split(" "),
  );
  const TYPED = new Set(["text", "search", "url", "tel", "email", "password", "number", ""]);
  const BUTTONS = new Set(["submit", "reset", "button"]);
  const INVISIBLE = /[\u00ad\u200b\u200e\u200f\u2060\ufeff\u0000-\u0008\u000e-\u001f]/g;
  const ICON_GLYPH = /[\ue000-\uf8ff]|[\udb80-\udbff][\udc00-\udfff]/g; // private use: icon fonts
  const ICON_FAMILY = /icon|symbol|awesome|glyph/i;
  const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f]/;
  // Both take tens of milliseconds to make, and most pages need neither.
  let ownSegmenter = null;
  const segmenter = () => (ownSegmenter ??= new Intl.Segmenter("en", { granularity: "word" }));
  let ownCanvas = null;
  const canvas = () => (ownCanvas ??= document.createElement("canvas").getContext("2d"));

  const { whole, cut, area, moved, textIsPainted, clipsInside, isRaised, noteCover, mayBeCovered, shows } =
    pixreadVisibility(argument);
  const short = (value) => Math.round(value * zoom * 10) / 10;
  const pack = (a) => [short(a.l), short(a.t), short(a.r - a.l), short(a.b - a.t)];

  // --- lines -------------------------------------------------------------------------------------------------------

  let lines = 0;
  const lastLine = new Map(); // block -> its latest line
  const TRANSPARENT = /^(inline|contents|ruby)/;
  const blockOf = (element) => {
    let node = element;
    while (node.parentElement && TRANSPARENT.test(getComputedStyle(node).display)) node = node.parentElement;
    return node;
  };
  const lineOf = (block, box, size, vertical) => {
    const [start, end, top, bottom] = vertical ? ["t", "b", "l", "r"] : ["l", "r", "t", "b"];
    const line = lastLine.get(block);
    if (line) {
      const overlap = Math.min(line[bottom], box[bottom]) - Math.max(line[top], box[top]);
      const lower = Math.min(line[bottom] - line[top], box[bottom] - box[top]);
      const gap = Math.max(box[start] - line[end], line[start] - box[end]);
      if (overlap >= LINE_OVERLAP * lower && gap <= LINE_GAP_EM * Math.max(size, line.size)) {
        Object.assign(line, { l: Math.min(line.l, box.l), t: Math.min(line.t, box.t), r: Math.max(line.r, box.r), b: Math.max(line.b, box.b) });
        line.size = size;
        return line.number;
      }
    }
    lastLine.set(block, { ...box, size, number: lines });
    return lines++;
  };

  // --- text --------------------------------------------------------------------------------------------------------

  const cased = (text, style) => {
    switch (style.textTransform) {
      case "uppercase":
        return text.toUpperCase();
      case "lowercase":
        return text.toLowerCase();
      case "capitalize":
        return text.replace(/^[^\p{L}\p{N}]*\p{L}/u, (start) => start.toUpperCase());
      default:
        return text;
    }
  };
  const tidy = (text) => text.replace(INVISIBLE, "").replace(ICON_GLYPH, "");
  // The pieces of a word that stand apart on the page: parts on different lines, and words of scripts without spaces.
  const piecesOf = (range, node, start, end) => {
    const data = node.data;
    range.setStart(node, start);
    range.setEnd(node, end);
    const rects = range.getClientRects();
    const word = data.slice(start, end);
    const unspaced = UNSPACED.test(word);
    if (rects.length === 0) return [];
    if (rects.length === 1 && !unspaced) return [{ text: word, rect: rects[0] }];
    const starts = unspaced ? [...segmenter().segment(word)].map((part) => start + part.index) : [start];
    const pieces = [];
    for (let i = 0; i < starts.length; i++) {
      const stop = starts[i + 1] ?? end;
      range.setStart(node, starts[i]);
      range.setEnd(node, stop);
      const own = [...range.getClientRects()].filter((rect) => rect.width > 0);
      if (own.length === 1) pieces.push({ text: data.slice(starts[i], stop), rect: own[0] });
      else if (own.length > 1) pieces.push(...brokenPieces(range, node, starts[i], stop));
    }
    return pieces;
  };
  const brokenPieces = (range, node, start, end) => {
    const pieces = [];
    for (let i = start; i < end; ) {
      const step = node.data.codePointAt(i) > 0xffff ? 2 : 1;
      range.setStart(node, i);
      range.setEnd(node, i + step);
      const rect = range.getBoundingClientRect();
      const last = pieces[pieces.length - 1];
      if (last && Math.abs(rect.top - last.rect.top) < Math.max(2, last.rect.height / 2)) {
        last.text += node.data.slice(i, i + step);
        last.rect = new DOMRect(
          Math.min(last.rect.left, rect.left),
          Math.min(last.rect.top, rect.top),
          Math.max(last.rect.right, rect.right) - Math.min(last.rect.left, rect.left),
          Math.max(last.rect.bottom, rect.bottom) - Math.min(last.rect.top, rect.top),
        );
      } else pieces.push({ text: node.data.slice(i, i + step), rect });
      i += step;
    }
    return pieces;
  };

  const range = document.createRange();
  const textLeaf = (node, element, style, clip, at) => {
    if (style.visibility !== "visible") return null;
    const size = parseFloat(style.fontSize);
    if (size < MIN_FONT_PX || !/\S/.test(node.data)) return null;
    const found = [];
    const words = /\S+/g;
    let token = 0;
    for (let match = words.exec(node.data); match; match = words.exec(node.data)) {
      token++;
      for (const piece of piecesOf(range, node, match.index, match.index + match[0].length)) {
        const box = moved(piece.rect, at);
        const seen = cut(box, clip);
        if (area(box) <= 0 || area(seen) < MIN_SEEN * area(box)) continue;
        const text = tidy(cased(piece.text, style));
        if (text && !isLigature(text, box, size, style)) found.push({ text, box: seen, token });
      }
    }
    if (found.length === 0 || !textIsPainted(element, style)) return null;
    return pending(found, element, style, size, at);
  };
  // Icon fonts that draw a word ("home", "menu") as one glyph.
  const isLigature = (text, box, size, style) =>
    text.length > 2 && box.r - box.l <= 1.4 * size && ICON_FAMILY.test(style.fontFamily.split(",")[0]);
  // A leaf is finished when the whole page has been walked and all covers are known.
  const pending = (found, element, style, size, at) => {
    if (found.length === 0) return null;
    const vertical = style.writingMode.startsWith("vertical");
    const seen = ({ box }) => !mayBeCovered(element, box) || shows(element, (box.l + box.r) / 2 - at.x, (box.t + box.b) / 2 - at.y);
    return { finish: () => leafOf(found.filter(seen), blockOf(element), size, vertical) };
  };
  const leafOf = (found, block, size, vertical) => {
    if (found.length === 0) return null;
    let text = "";
    let before = 0;
    const packed = [];
    for (const word of found) {
      text += (before && before !== word.token ? " " : "") + word.text;
      before = word.token;
      packed.push([word.text, ...pack(word.box), lineOf(block, word.box, size, vertical)]);
    }
    return { t: text, w: packed };
  };

  // --- controls: their text has no DOM range, so boxes are worked out from the font ---------------------------------

  const contentBox = (element, at) => {
    const style = getComputedStyle(element);
    const box = moved(element.getBoundingClientRect(), at);
    const inset = (side) => parseFloat(style[`border${side}Width`]) + parseFloat(style[`padding${side}`]) || 0;
    return { l: box.l + inset("Left"), t: box.t + inset("Top"), r: box.r - inset("Right"), b: box.b - inset("Bottom") };
  };
  const controlLeaf = (element, style, clip, at, text, place) => {
    if (style.visibility !== "visible" || !text.trim()) return null;
    const size = parseFloat(style.fontSize);
    const box = contentBox(element, at);
    if (size < MIN_FONT_PX || area(cut(box, clip)) <= 0) return null;
    canvas().font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const lineHeight = parseFloat(style.lineHeight) || size * 1.15;
    const rows = place.wrap ? wrapped(text, box.r - box.l) : [text.replace(/\s+/g, " ")];
    const found = [];
    let token = 0;
    rows.forEach((row, index) => {
      const middle = place.wrap ? box.t + (index + 0.5) * lineHeight : (box.t + box.b) / 2;
      const free = box.r - box.l - canvas().measureText(row).width;
      const left = box.l + (place.indent ?? 0) + (place.align === "center" ? Math.max(0, free / 2) : place.align === "right" ? Math.max(0, free) : 0);
      for (const match of row.matchAll(/\S+/g)) {
        token++;
        const start = left + canvas().measureText(row.slice(0, match.index)).width;
        const ends = start + canvas().measureText(match[0]).width;
        const word = { l: start, t: middle - size * 0.575, r: ends, b: middle + size * 0.575 };
        const seen = cut(word, cut(clip, { ...box, t: box.t - size, b: box.b + size }));
        const shown = tidy(cased(match[0], style));
        if (shown && area(seen) >= MIN_SEEN * area(word)) found.push({ text: shown, box: seen, token });
      }
    });
    return textIsPainted(element, style) ? pending(found, element, style, size, at) : null;
  };
  const wrapped = (text, room) => {
    const rows = [];
    for (const paragraph of text.split("\n")) {
      let row = "";
      for (const word of paragraph.split(/(?<=\s)/)) {
        if (row && canvas().measureText((row + word).trimEnd()).width > room) {
          rows.push(row);
          row = "";
        }
        row += word;
      }
      rows.push(row);
    }
    return rows;
  };
  const alignOf = (style) => {
    if (style.textAlign === "center") return "center";
    const end = style.direction === "rtl" ? ["start", "right"] : ["end", "right"];
    return end.includes(style.textAlign) ? "right" : "left";
  };
  const inputLeaf = (element, style, clip, at) => {
    const kind = (element.getAttribute("type") || "").toLowerCase();
    if (kind === "image") return imageLeaf(element, style, clip, at, element.src, element.getAttribute("alt"));
    const align = alignOf(style);
    if (BUTTONS.has(kind)) {
      const label = element.hasAttribute("value") ? element.value : { submit: "Submit", reset: "Reset", button: "" }[kind];
      return controlLeaf(element, style, clip, at, label, { align: "center" });
    }
    if (!TYPED.has(kind) && element.type !== "text") return null;
    if (element.value) {
      const shown = kind === "password" ? "\u2022".repeat(element.value.length) : element.value;
      return controlLeaf(element, style, clip, at, shown, { align });
    }
    return controlLeaf(element, getComputedStyle(element, "::placeholder"), clip, at, element.placeholder, { align, wrap: false });
  };

  // --- images ------------------------------------------------------------------------------------------------------

  const nameOf = (address) => {
    if (!address || /^(data|blob|javascript|about):/i.test(address)) return null;
    let name = address.split(/[?#]/)[0].split("/").pop();
    try {
      name = decodeURIComponent(name);
    } catch (error) {
      // A stray per cent sign: the name stays as written.
    }
    return name.replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/\s+/g, " ").trim() || null;
  };
  const imageLeaf = (element, style, clip, at, address, alt) => {
    if (style.visibility !== "visible") return null;
    const box = moved(element.getBoundingClientRect(), at);
    const seen = cut(box, clip);
    if (seen.r - seen.l < MIN_IMAGE_PX || seen.b - seen.t < MIN_IMAGE_PX) return null;
    const name = nameOf(address);
    const label = (alt || "").replace(/\s+/g, " ").trim() || null;
    if (name === null && label === null) return null;
    const points = [[0.5, 0.5], [0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]];
    const visible = () =>
      !mayBeCovered(element, seen) ||
      points.some(([x, y]) => shows(element, seen.l + x * (seen.r - seen.l) - at.x, seen.t + y * (seen.b - seen.t) - at.y));
    return { finish: () => (visible() ? { i: name, a: label, b: pack(seen) } : null) };
  };
  const isBroken = (image) => image.complete && image.naturalWidth === 0 && !/\.svg([?#]|$)/i.test(image.currentSrc);

  // --- the walk ----------------------------------------------------------------------------------------------------

  let budget = maxNodes;
  const OVER = {};
  const childrenOf = (element) => {
    if (element.shadowRoot) return element.shadowRoot.childNodes;
    if (element.tagName === "SLOT") {
      const assigned = element.assignedNodes();
      if (assigned.length) return assigned;
    }
    if (element.tagName === "DETAILS" && !element.open) return element.querySelectorAll(":scope > summary:first-of-type");
    return element.childNodes;
  };
  const frameTree = (element, style, clip, at) => {
    const inner = element.contentDocument;
    if (!inner || !inner.body || style.visibility !== "visible") return null;
    const edge = contentBox(element, at);
    const seen = cut(edge, clip);
    if (area(seen) <= 0) return null;
    return walk(inner.body, { flow: seen, absolute: seen, fixed: seen }, 1, { x: edge.l, y: edge.t });
  };
  const leafFor = (element, style, clip, at) => {
    switch (element.tagName) {
      case "IMG":
        if (isBroken(element) && !element.alt) return null;
        return imageLeaf(element, style, clip, at, element.currentSrc || element.src, element.getAttribute("alt"));
      case "VIDEO":
        return imageLeaf(element, style, clip, at, element.poster, element.getAttribute("aria-label"));
      case "CANVAS":
        return imageLeaf(element, style, clip, at, null, element.getAttribute("aria-label"));
      case "OBJECT":
      case "EMBED":
        return imageLeaf(element, style, clip, at, element.data || element.src, element.getAttribute("aria-label"));
      case "INPUT":
        return inputLeaf(element, style, clip, at);
      case "TEXTAREA":
        if (element.value) return controlLeaf(element, style, clip, at, element.value, { align: alignOf(style), wrap: true });
        return controlLeaf(element, getComputedStyle(element, "::placeholder"), clip, at, element.placeholder, { align: "left", wrap: true });
      case "SELECT": {
        const chosen = element.selectedOptions[0];
        const shown = element.size > 1 || element.multiple ? "" : chosen ? chosen.label : "";
        return controlLeaf(element, style, clip, at, shown, { align: alignOf(style), indent: SELECT_INDENT });
      }
      default:
        return undefined;
    }
  };
  const svgLeaf = (element, style, clip, at) => {
    if (element.querySelector("text, foreignObject")) return undefined;
    const title = element.getAttribute("aria-label") || element.querySelector(":scope > title")?.textContent;
    return imageLeaf(element, style, clip, at, null, title);
  };
  const walk = (element, clips, opacity, at, raised = false) => {
    if (--budget < 0) throw OVER;
    if (SKIPPED.has(element.tagName)) return null;
    const style = getComputedStyle(element);
    if (style.display === "none") return null;
    const seen = opacity * Number(style.opacity);
    if (seen < MIN_OPACITY) return null;
    if (style.contentVisibility === "hidden") return null;
    const clip = style.position === "fixed" ? clips.fixed : style.position === "absolute" ? clips.absolute : clips.flow;
    raised ||= isRaised(style);
    if (raised && style.visibility === "visible") noteCover(element, style, clip, at);
    if (element.tagName === "IFRAME" || element.tagName === "FRAME") return frameTree(element, style, clip, at);
    const leaf = element.tagName === "svg" ? svgLeaf(element, style, clip, at) : leafFor(element, style, clip, at);
    if (leaf !== undefined) return leaf;
    const inside = clipsInside(element, style, clips, at);
    if (area(inside.flow) <= 0 && area(inside.absolute) <= 0 && area(inside.fixed) <= 0) return null;
    const children = [];
    for (const child of childrenOf(element)) {
      let found = null;
      if (child.nodeType === Node.TEXT_NODE) {
        budget--;
        found = textLeaf(child, element, style, inside.flow, at);
      } else if (child.nodeType === Node.ELEMENT_NODE) found = walk(child, inside, seen, at, raised);
      if (found) children.push(found);
    }
    // Chains of single children are cut here already: they may be deeper than a reader's stack.
    return children.length > 1 ? { c: children } : (children[0] ?? null);
  };

  const finished = (node) => {
    if (node === null) return null;
    if (node.finish) return node.finish();
    const children = node.c.map(finished).filter(Boolean);
    return children.length > 1 ? { c: children } : (children[0] ?? null);
  };

  const nodes = document.getElementsByTagName("*").length;
  if (nodes > maxNodes) return JSON.stringify({ tooLarge: nodes });
  const body = document.body ?? document.documentElement;
  try {
    const tree = body ? walk(body, { flow: whole, absolute: whole, fixed: whole }, 1, { x: 0, y: 0 }) : null;
    return JSON.stringify({ title: document.title, nodes: maxNodes - budget, tree: finished(tree) });
  } catch (error) {
    if (error !== OVER) throw error;
    return JSON.stringify({ tooLarge: maxNodes });
  }
}
