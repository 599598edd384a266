// Reads what can be seen of a page: words with their boxes and lines, and images. The rules stand in docs/rendering.md.
//
// The scripts of tab.py's world have run before. argument: {width, height, zoom, maxNodes, layout}: the part of the page that the
//   picture shows in CSS pixels, picture pixels a CSS pixel, the node budget, and what the layout says of each of `nodes` (see
//   layout_text.py): {kind: "text", text}, {kind: "inner"}, {kind: "closed"}, {kind: "frame", quad} or
//   {kind: "marker" | "before" | "after", box, texts: [[text, [[x, y, width, height, start, length], ...]], ...]}.
// returns JSON: {title, nodes, tree, marks: [[kind, x, y, width, height], ...]} or {tooLarge: nodes}; a tree node is
//   {t: text, l: [size, turn, flags], w: [[word, x, y, width, height, line, baseline or null], ...]} (letters.js has what they are) |
//   {i: name or null, a: alt or null, b: [x, y, width, height]} | {c: [nodes]}
(argument, ...nodes) => {
  const { zoom, maxNodes, layout } = argument;
  const MIN_OPACITY = 0.1;
  const MIN_IMAGE_PX = 4;
  const MIN_VISIBLE_SHARE = 0.5; // share of a word's box that must not be clipped away
  const MIN_WHOLE = 0.97; // share from which on it counts as whole
  const SKIPPED = new Set(
    "SCRIPT STYLE TEMPLATE NOSCRIPT HEAD META LINK TITLE OPTION OPTGROUP DATALIST AUDIO SOURCE TRACK PARAM AREA MAP".split(" ").concat(
      "defs clipPath mask pattern marker symbol".split(" "), // of SVG: drawn where something refers to them, if at all
    ),
  );
  const ICON_FAMILY = /icon|icomoon|symbol|awesome|glyph|fontello|slick|swiper/i;
  const BULLET = /^[\u2022\u25e6\u25a0]\s$/;
  const DATES = new Set(["date", "datetime-local", "month", "time", "week"]);

  const drawn = new Map(); // text node -> the text that is drawn of it
  const inner = new Map(); // control -> text nodes inside of it that no script of the page can reach
  const closedRoots = new Map(); // element -> its shadow root that scripts do not reach
  const quads = new Map(); // frame -> the corners of its content box
  const generated = new Map(); // element -> {marker, before, after}
  layout.forEach((entry, i) => {
    const node = nodes[i];
    if (node === null) return; // it has left the page meanwhile
    if (entry.kind === "text") drawn.set(node, entry.text);
    else if (entry.kind === "closed") closedRoots.set(node.getRootNode().host, node.getRootNode());
    else if (entry.kind === "frame") quads.set(node, entry.quad);
    else if (entry.kind === "inner") {
      let { host } = node.getRootNode();
      while (host.getRootNode().host?.tagName === "INPUT") ({ host } = host.getRootNode()); // the button in a file input
      inner.set(host, [...(inner.get(host) ?? []), node]);
    } else generated.set(node, { ...generated.get(node), [entry.kind]: entry });
  });

  const { HERE, moved, inFrame, quadBox, inside, scaleOf } = globalThis.pixreadSpace;
  const visibility = pixreadVisibility(argument);
  const { whole, cut, area, textIsPainted, clipsInside, isRaised, noteCover, mayBeCovered, shows } = visibility;
  const { lettering, baselineOf, widthOf } = pixreadLetters(visibility);
  const { notePicture, noteIcon, noteUnread, noteElement, finished: marks } = pixreadMarks(argument, visibility);
  const { RIGHT_TO_LEFT, tidy, cased, hasSmallCapitals, runOf, wordsOf, piecesOf, rectsOf, isReordered, visualPieces } = pixreadWords(drawn);
  const { TRANSPARENT, blockOf, lineOf, partOfLine } = pixreadLines();
  const short = (value) => Math.round(value * zoom * 10) / 10;
  const pack = (a) => [short(a.l), short(a.t), short(a.r - a.l), short(a.b - a.t)];

  // --- text --------------------------------------------------------------------------------------------------------

  // state: {clip, space, cutter, overridden} of the text's element. `host` stands for it where it is part of a control.
  const textLeaf = (textNodes, element, style, state, { host = element, joint } = {}) => {
    if (!textNodes.some((node) => /\S/.test(node.data))) return null;
    const letters = lettering(host, style, state.space);
    if (letters === null) {
      if (style.visibility === "visible") noteUnread(cut(moved(element.getBoundingClientRect(), state.space), state.clip));
      return null;
    }
    const run = runOf(textNodes, host, style, { inner: host !== element || joint !== undefined, joint });
    const words = [];
    let token = 0;
    const add = (piece, word) => {
      const box = moved(piece.rect, state.space);
      const clipped = cut(box, state.clip);
      if (area(box) <= 0) return;
      if (area(clipped) < MIN_VISIBLE_SHARE * area(box)) {
        noteUnread(clipped);
        return;
      }
      const text = tidy(piece.text);
      const last = words[words.length - 1];
      if (piece.attached && last) Object.assign(last, { text: last.text + text, box: { ...last.box, l: Math.min(last.box.l, clipped.l), r: Math.max(last.box.r, clipped.r) } });
      else if (text && !isLigature(text, box, letters.size, style)) words.push(placed(text, box, clipped, letters, word));
      else noteIcon(clipped);
    };
    if (Math.abs(letters.turn) < 0.02 && isReordered(run, () => blockOf(host), state.overridden)) {
      for (const piece of visualPieces(run, state.overridden, state.cutter)) add(piece, ++token);
    } else {
      const firstLine = firstLineOf(host, style);
      for (const word of wordsOf(run)) {
        token++;
        for (const whole of piecesOf(run, word, letters.vertical)) {
          const drawnPieces = state.cutter ? state.cutter(whole, (start, end) => rectsOf(run, start, end)) : [whole];
          for (const piece of drawnPieces) add(firstLine ? firstLine(piece) : piece, token);
        }
      }
    }
    return textIsPainted(element, style) ? pending(words, host, state.space, letters) : null;
  };
  // What is cut off has no baseline that a reader could find.
  const placed = (text, box, clipped, letters, token) => {
    const isWhole = area(clipped) >= MIN_WHOLE * area(box);
    return { text, box: clipped, token, baseline: isWhole ? baselineOf(box, letters) : null };
  };
  // Icon fonts that draw a word ("home", "menu") as one glyph.
  const isLigature = (text, box, size, style) =>
    text.length > 2 && box.r - box.l <= 1.4 * size && ICON_FAMILY.test(style.fontFamily.split(",")[0]);
  // What ::first-line does to the letters of a block's first line; null where no style sheet of the document has such a rule.
  const firstLineRules = new Map();
  const firstLineOf = (element, style) => {
    const owner = element.ownerDocument;
    if (!firstLineRules.has(owner)) firstLineRules.set(owner, [...owner.styleSheets].some(namesFirstLine));
    if (!firstLineRules.get(owner)) return null;
    const block = blockOf(element);
    const special = getComputedStyle(block, "::first-line");
    const transform = hasSmallCapitals(special) ? "uppercase" : special.textTransform;
    if (transform === style.textTransform) return null;
    const range = owner.createRange();
    range.selectNodeContents(block);
    const first = [...range.getClientRects()].find((rect) => rect.width > 0);
    return (piece) => {
      const middle = (piece.rect.top + piece.rect.bottom) / 2;
      return middle < first.bottom && middle > first.top ? { ...piece, text: cased(piece.text, transform, element) } : piece;
    };
  };
  const namesFirstLine = (sheet) => {
    try {
      return [...sheet.cssRules].some((rule) => rule.selectorText ? rule.selectorText.includes(":first-line") : rule.cssRules && namesFirstLine(rule));
    } catch (error) {
      return false; // a style sheet of another site does not show its rules
    }
  };
  // A leaf is finished when the whole page has been walked and all covers are known.
  const pending = (words, element, space, letters) => {
    if (words.length === 0) return null;
    const isVisible = ({ box }) => {
      if (!mayBeCovered(element, box) || shows(element, (box.l + box.r) / 2, (box.t + box.b) / 2, space)) return true;
      noteUnread(box);
      return false;
    };
    return { finish: () => leafOf(words.filter(isVisible), blockOf(element), letters) };
  };
  const leafOf = (words, block, { size, turn, flags }) => {
    if (words.length === 0) return null;
    let text = "";
    let before = 0;
    const packed = [];
    for (const word of words) {
      text += (before && before !== word.token ? " " : "") + word.text;
      before = word.token;
      const baseline = word.baseline === null ? null : short(word.baseline);
      packed.push([word.text, ...pack(word.box), lineOf(block, word.box, size, turn), baseline]);
    }
    return { t: text, l: [short(size), Math.round(turn * 1000) / 1000, flags], w: packed };
  };

  // --- text that is no part of the document: in controls, and what style sheets generate ---------------------------

  const groupOf = (leaves) => {
    const kept = leaves.filter(Boolean);
    return kept.length > 1 ? { c: kept } : (kept[0] ?? null);
  };
  const controlLeaf = (element, clip, space) => {
    const nodes = inner.get(element) ?? [];
    const joint = DATES.has(element.type) ? "" : element.tagName === "TEXTAREA" ? "\n" : undefined;
    const within = cut(clip, moved(element.getBoundingClientRect(), space));
    const leaf = (textNodes) => {
      const parent = textNodes[0].parentElement ?? element;
      const style = getComputedStyle(parent);
      const cutter = style.textOverflow === "clip" ? null : pixreadEllipsis(parent, style);
      return textLeaf(textNodes, parent, style, { clip: within, space, cutter, overridden: false }, { host: element, joint: joint ?? "" });
    };
    if (joint !== undefined && nodes.length) return leaf(nodes);
    return groupOf(nodes.map((node) => leaf([node])));
  };
  const listLeaf = (element, clip, space) => {
    const within = cut(clip, moved(element.getBoundingClientRect(), space));
    return groupOf([...element.querySelectorAll("option, optgroup")].map((row) => controlLeaf(row, within, space)));
  };
  const generatedLeaf = (element, kind, clips, space) => {
    const entry = generated.get(element)?.[kind];
    if (!entry) return null;
    const style = getComputedStyle(element, `::${kind}`);
    const letters = lettering(element, style, space);
    if (letters === null || Number(style.opacity) < MIN_OPACITY) return null;
    const own = style.position === "absolute" ? clips.absolute : style.position === "fixed" ? clips.fixed : clips.flow;
    const boxOf = (x, y, width, height) => {
      const f = space.zoom ?? 1; // layout pixels of a zoomed frame
      return moved({ left: x / f, top: y / f, right: (x + width) / f, bottom: (y + height) / f }, space);
    };
    const clip = style.overflowX === "visible" ? own : cut(own, boxOf(...entry.box));
    if (ICON_FAMILY.test(style.fontFamily.split(",")[0])) {
      for (const [, boxes] of entry.texts) for (const [x, y, width, height] of boxes) noteIcon(cut(boxOf(x, y, width, height), clip));
      return null;
    }
    const words = [];
    let token = 1;
    for (const [text, boxes] of entry.texts) {
      for (const [x, y, width, height, start, length] of boxes.sort((a, b) => a[4] - b[4])) {
        const part = text.slice(start, start + length);
        const backward = /[\p{L}\p{N}]/u.test(part) ? RIGHT_TO_LEFT.test(part) : style.direction === "rtl";
        // The bullets of lists are shapes, which fill their box; no font draws them.
        const total = widthOf(style, kind === "marker" && BULLET.test(part) ? part.trim() : part) || 1;
        for (const match of part.matchAll(/\S+/g)) {
          if (match.index > 0 || /\s$/.test(text.slice(0, start))) token++; // else the word goes on, as in two directions
          const from = widthOf(style, part.slice(0, match.index)) / total;
          const share = widthOf(style, match[0]) / total;
          const box = partOfLine(boxOf(x, y, width, height), letters, backward ? 1 - from - share : from, share);
          const clipped = cut(box, clip);
          const word = tidy(match[0]);
          if (word && area(box) > 0 && area(clipped) >= MIN_VISIBLE_SHARE * area(box)) words.push(placed(word, box, clipped, letters, token));
          else if (word) noteUnread(clipped);
          else noteIcon(clipped);
        }
        if (/\s$/.test(part)) token++;
      }
    }
    return textIsPainted(element, style) ? pending(words, element, space, letters) : null;
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
  const imageLeaf = (element, style, { clip, space }, address, alt) => {
    if (style.visibility !== "visible") return null;
    const box = moved(element.getBoundingClientRect(), space);
    const clipped = cut(box, clip);
    notePicture(element, clipped, space);
    if (isBroken(element)) noteUnread(clipped); // its text is drawn in place of it, and nobody tells where each word stands
    if (clipped.r - clipped.l < MIN_IMAGE_PX || clipped.b - clipped.t < MIN_IMAGE_PX) return null;
    const name = nameOf(address);
    const label = (alt || "").replace(/\s+/g, " ").trim() || null;
    if (name === null && label === null) return null;
    const points = [[0.5, 0.5], [0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]];
    const visible = () =>
      !mayBeCovered(element, clipped) ||
      points.some(([x, y]) => shows(element, clipped.l + x * (clipped.r - clipped.l), clipped.t + y * (clipped.b - clipped.t), space));
    return { finish: () => (visible() ? { i: name, a: label, b: pack(clipped) } : null) };
  };
  const isBroken = (image) => image.complete && image.naturalWidth === 0 && !/\.svg([?#]|$)/i.test(image.currentSrc);

  // --- the walk ----------------------------------------------------------------------------------------------------

  let budget = maxNodes;
  const OVER = {};
  const childrenOf = (element) => {
    const root = element.shadowRoot ?? closedRoots.get(element);
    if (root) return root.childNodes;
    if (element.tagName === "SLOT") {
      const assigned = element.assignedNodes();
      if (assigned.length) return assigned;
    }
    if (element.tagName === "DETAILS" && !element.open) return element.querySelectorAll(":scope > summary:first-of-type");
    return element.childNodes;
  };
  const frameTree = (element, style, clip, space) => {
    const content = element.contentDocument;
    const body = content?.body ?? content?.documentElement; // a picture in SVG has no body
    const quad = quads.get(element);
    if (!body || !quad || style.visibility !== "visible") return null;
    const clipped = cut(quadBox(quad), clip);
    if (area(clipped) <= 0) return null;
    return walk(body, { ...START, clips: { flow: clipped, absolute: clipped, fixed: clipped }, space: inFrame(element, quad, space) });
  };
  // An object whose data cannot be shown shows its content.
  const showsFallback = (element) => {
    const range = element.ownerDocument.createRange();
    range.selectNodeContents(element);
    return range.getClientRects().length > 0;
  };
  const leafFor = (element, style, place) => {
    const image = (address, alt) => imageLeaf(element, style, place, address, alt);
    const label = element.getAttribute("aria-label");
    switch (element.tagName) {
      case "IMG":
        if (isBroken(element) && !element.alt) return null;
        return image(element.currentSrc || element.src, element.getAttribute("alt"));
      case "VIDEO":
        return image(element.poster, label);
      case "CANVAS":
        return image(null, label);
      case "OBJECT":
        if (showsFallback(element)) return undefined;
        return frameTree(element, style, place.clip, place.space) ?? image(element.data, label);
      case "EMBED":
        return image(element.src, label);
      case "svg":
        if (element.querySelector("text, foreignObject")) return undefined;
        return image(null, label || element.querySelector(":scope > title")?.textContent);
      case "INPUT":
        if (element.type === "image") return image(element.src, element.getAttribute("alt"));
        return controlLeaf(element, place.clip, place.space);
      case "TEXTAREA":
        return controlLeaf(element, place.clip, place.space);
      case "SELECT":
        return element.size > 1 || element.multiple ? listLeaf(element, place.clip, place.space) : controlLeaf(element, place.clip, place.space);
      default:
        return undefined;
    }
  };
  // Only the lines of a block itself are cut by its text-overflow; line-clamp counts those of the blocks inside.
  const cutterOf = (element, style, space, before) => {
    const clamps = style.webkitLineClamp !== "none";
    if (clamps || style.textOverflow !== "clip") {
      const cutter = pixreadEllipsis(element, style);
      if (cutter && Math.abs(scaleOf(element, space).angle) < 0.02) return { cutter, clamps };
    }
    return before?.clamps || TRANSPARENT.test(style.display) ? before : null;
  };
  const isOverridden = (style, before) => {
    if (style.unicodeBidi.includes("override")) return true;
    return before && style.unicodeBidi === "normal" && style.display.startsWith("inline");
  };
  const walk = (element, state) => {
    if (--budget < 0) throw OVER;
    if (SKIPPED.has(element.tagName)) return null;
    const style = getComputedStyle(element);
    if (style.display === "none" || style.contentVisibility === "hidden") return null;
    const faded = style.filter === "none" ? 1 : Number(/opacity\(([\d.e-]+)\)/.exec(style.filter)?.[1] ?? 1);
    const opacity = state.opacity * Number(style.opacity) * faded;
    if (opacity < MIN_OPACITY) return null;
    const space = inside(element, style, state.space);
    if (space === null) return null;
    const { clips } = state;
    const clip = style.position === "fixed" ? clips.fixed : style.position === "absolute" ? clips.absolute : clips.flow;
    const raised = state.raised || isRaised(style);
    if (raised && style.visibility === "visible") noteCover(element, style, clip, space);
    const ground = noteElement(element, style, {
      boxes: () => [...element.getClientRects()].map((rect) => moved(rect, space)), // one a line of an inline element
      scale: () => scaleOf(element, space).scale,
      ...{ clip, space, ground: state.ground },
    });
    if (element.tagName === "IFRAME" || element.tagName === "FRAME") return frameTree(element, style, clip, space);
    const leaf = leafFor(element, style, { clip, space });
    if (leaf !== undefined) return leaf;
    const within = clipsInside(element, style, clips, space);
    if (area(within.flow) <= 0 && area(within.absolute) <= 0 && area(within.fixed) <= 0) return null;
    const cutting = cutterOf(element, style, space, state.cutting);
    const own = { clips: within, opacity, space, raised, cutting, ground, overridden: isOverridden(style, state.overridden) };
    return groupOf([
      generatedLeaf(element, "marker", within, space),
      generatedLeaf(element, "before", within, space),
      element.tagName === "DETAILS" && inner.has(element) ? controlLeaf(element, within.flow, space) : null,
      ...contentOf(element, style, own),
      generatedLeaf(element, "after", within, space),
    ]); // chains of single children are cut here already: they may be deeper than a reader's stack
  };
  // The children of an element; text nodes with only comments or <wbr> between them are one text.
  const contentOf = (element, style, own) => {
    const content = [];
    let texts = [];
    const place = { clip: own.clips.flow, space: own.space, cutter: own.cutting?.cutter ?? null, overridden: own.overridden };
    const flush = () => {
      if (texts.length) content.push(textLeaf(texts, element, style, place));
      texts = [];
    };
    for (const child of childrenOf(element)) {
      if (child.nodeType === Node.TEXT_NODE) {
        budget--;
        texts.push(child);
      } else if (child.nodeType === Node.ELEMENT_NODE && child.tagName !== "WBR") {
        flush();
        content.push(walk(child, own));
      }
    }
    flush();
    return content;
  };
  const START = { opacity: 1, space: HERE, raised: false, cutting: null, ground: "rgb(255, 255, 255)", overridden: false };

  const finished = (node) => {
    if (node === null) return null;
    if (node.finish) return node.finish();
    return groupOf(node.c.map(finished));
  };

  const count = document.getElementsByTagName("*").length;
  if (count > maxNodes) return JSON.stringify({ tooLarge: count });
  const body = document.body ?? document.documentElement;
  try {
    const tree = body ? walk(body, { ...START, clips: { flow: whole, absolute: whole, fixed: whole } }) : null;
    const visibleTree = finished(tree); // which marks what lies under something else
    const packed = marks().map(({ kind, box }) => [kind, ...pack(box)]);
    return JSON.stringify({ title: document.title, nodes: maxNodes - budget, tree: visibleTree, marks: packed });
  } catch (error) {
    if (error !== OVER) throw error;
    return JSON.stringify({ tooLarge: maxNodes });
  }
}
