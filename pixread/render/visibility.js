// What hides parts of a page: clips, covers and paint that is none. Runs at the start of every document, in the renderer's own
// world, and leaves one function there for snapshot.js.
//
// argument: {width, height}: the part of the page that the picture shows, in CSS pixels. Spaces: see space.js.
globalThis.pixreadVisibility = ({ width, height }) => {
  const MIN_OPACITY = 0.1;
  const MAX_BLUR_EM = 0.125; // standard deviation of a blur beyond which running text cannot be read
  const MIN_VEIL_PX = 3; // an overlay that blurs what lies behind it by this much makes running text illegible

  // --- rectangles: {l, t, r, b} in page pixels -------------------------------------------------------------------

  const whole = { l: 0, t: 0, r: width, b: height };
  const cut = (a, b) => ({ l: Math.max(a.l, b.l), t: Math.max(a.t, b.t), r: Math.min(a.r, b.r), b: Math.min(a.b, b.b) });
  const area = (a) => Math.max(0, a.r - a.l) * Math.max(0, a.b - a.t);
  const { isSvg, moved, clientPoint, scaleOf } = globalThis.pixreadSpace;

  // --- styles -----------------------------------------------------------------------------------------------------

  const alphaOf = (colour) => {
    if (colour === "transparent") return 0;
    const match = /^(?:rgba\(.*,|.*\/)\s*([\d.]+)(%?)\)$/.exec(colour);
    return match ? Number(match[1]) / (match[2] ? 100 : 1) : 1;
  };
  const hasClippedBackground = (element) => {
    for (let node = element; node instanceof Element; node = node.parentElement) {
      const style = getComputedStyle(node);
      if (style.backgroundClip === "text" || style.webkitBackgroundClip === "text") return true;
      if (!style.display.startsWith("inline")) break;
    }
    return false;
  };
  const textIsPainted = (element, style) => {
    if (isSvg(element)) return isPaint(style.fill, style.fillOpacity) || (isPaint(style.stroke, style.strokeOpacity) && parseFloat(style.strokeWidth) > 0);
    return (
      alphaOf(style.webkitTextFillColor) >= MIN_OPACITY ||
      parseFloat(style.webkitTextStrokeWidth) > 0 ||
      hasClippedBackground(element) ||
      hasSharpShadow(style)
    );
  };
  const isPaint = (paint, opacity) => paint !== "none" && alphaOf(paint) * Number(opacity) >= MIN_OPACITY;
  // Letters without a colour of their own show as their shadow: sharp, or as the haze that hides spoilers.
  const hasSharpShadow = (style) =>
    [...style.textShadow.matchAll(/(\S+\([^)]*\)) \S+ \S+ ([\d.e-]+)px/g)].some(
      // CSS Text Decoration 3: a blur radius is twice the standard deviation.
      ([, colour, radius]) => alphaOf(colour) >= MIN_OPACITY && Number(radius) / 2 <= MAX_BLUR_EM * parseFloat(style.fontSize),
    );
  // The box of a clip-path's shape, as far as it can be told; `scale` makes its lengths page pixels.
  const clipPathBox = (style, box, scale) => {
    const [, shape, inner] = /^(inset|circle|ellipse|polygon)\((.*?)\)(?:\s[a-z-]+)?$/.exec(style.clipPath) ?? [];
    if (!shape) return box;
    const size = { x: box.r - box.l, y: box.b - box.t };
    const length = (part, full) => (part.endsWith("%") ? (parseFloat(part) / 100) * full : parseFloat(part) * scale || 0);
    const spot = (x, y) => ({ x: box.l + length(x, size.x), y: box.t + length(y, size.y) });
    if (shape === "inset") {
      const [top, right = top, bottom = top, left = right] = inner.split(" round ")[0].trim().split(/\s+/);
      const low = spot(left, top);
      return { l: low.x, t: low.y, r: box.r - length(right, size.x), b: box.b - length(bottom, size.y) };
    }
    if (shape === "polygon") {
      if (/calc|min|max/.test(inner)) return box;
      const corners = inner.replace(/^(nonzero|evenodd),/, "").split(",").map((corner) => spot(...corner.trim().split(/\s+/)));
      const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
      return { l: Math.min(...xs), t: Math.min(...ys), r: Math.max(...xs), b: Math.max(...ys) };
    }
    const [radii, centre = "50% 50%"] = inner.split(/\s*at\s+/);
    if (!/\d/.test(radii) || !/^\S+ \S+$/.test(centre)) return box;
    const [rx, ry = rx] = radii.trim().split(/\s+/);
    const { x, y } = spot(...centre.split(" "));
    const across = shape === "circle" ? Math.hypot(size.x, size.y) / Math.SQRT2 : null; // CSS Shapes 1: what per cents are of
    const [w, h] = [length(rx, across ?? size.x), length(ry, across ?? size.y)];
    return { l: x - w, t: y - h, r: x + w, b: y + h };
  };
  const legacyClip = (style, box, scale) => {
    const parts = /^rect\((.*)\)$/.exec(style.clip);
    if (!parts) return box;
    const [t, r, b, l] = parts[1].split(/[\s,]+/).map((part) => (part === "auto" ? null : parseFloat(part) * scale));
    return {
      l: box.l + (l ?? 0),
      t: box.t + (t ?? 0),
      r: r === null ? box.r : box.l + r,
      b: b === null ? box.b : box.t + b,
    };
  };
  // The clip that an element's content is under. Content with position absolute or fixed leaves the boxes of ancestors that
  // are not its containing block, so three clips are carried down: for content in flow, absolute and fixed.
  const clipsInside = (element, style, clips, space) => {
    const own = style.position === "fixed" ? clips.fixed : style.position === "absolute" ? clips.absolute : clips.flow;
    let inner = own;
    let hard = own; // clips that no descendant escapes
    const box = () => moved(element.getBoundingClientRect(), space);
    const scale = () => scaleOf(element, space).scale;
    if (style.position === "absolute" || style.position === "fixed") {
      if (style.clip !== "auto") hard = inner = cut(hard, legacyClip(style, box(), scale()));
    }
    if (style.clipPath !== "none") hard = inner = cut(hard, clipPathBox(style, box(), scale()));
    const contained = /paint|strict|content/.test(style.contain);
    const clipsX = contained || style.overflowX !== "visible";
    const clipsY = contained || style.overflowY !== "visible";
    const propagated = element === element.ownerDocument.body || element === element.ownerDocument.documentElement;
    if ((clipsX || clipsY) && !propagated && !style.display.startsWith("inline ") && style.display !== "inline") {
      const edge = box();
      inner = cut(inner, {
        l: clipsX ? edge.l : -1e9,
        r: clipsX ? edge.r : 1e9,
        t: clipsY ? edge.t : -1e9,
        b: clipsY ? edge.b : 1e9,
      });
    }
    const transformed = [style.transform, style.rotate, style.scale, style.translate, style.filter, style.perspective].some((value) => value !== "none");
    const holdsFixed = transformed || contained;
    const contains = style.position !== "static" || holdsFixed;
    const narrowed = hard !== own;
    return {
      flow: inner,
      absolute: contains ? inner : narrowed ? cut(clips.absolute, hard) : clips.absolute,
      fixed: holdsFixed ? inner : narrowed ? cut(clips.fixed, hard) : clips.fixed,
    };
  };

  // --- occlusion ---------------------------------------------------------------------------------------------------
  //
  // Asking the browser what lies on top at a point takes time in proportion to the page, so it is asked only about leaves
  // that an opaque, raised element overlaps: one that is positioned, moved or floated, or lies inside such a one.

  const covers = []; // {element, box} of such elements
  const coverSet = new Set();
  const REPLACED = /^(IMG|VIDEO|CANVAS|IFRAME|OBJECT|EMBED)$/;
  const isRaised = (style) =>
    style.position !== "static" ||
    style.transform !== "none" ||
    style.cssFloat !== "none" ||
    style.gridRowStart !== "auto" ||
    style.gridColumnStart !== "auto" ||
    /-/.test(style.marginTop + style.marginLeft + style.marginBottom + style.marginRight);
  const noteCover = (element, style, clip, space) => {
    const painted = style.backgroundColor !== "rgba(0, 0, 0, 0)" || style.backgroundImage !== "none" || style.backdropFilter !== "none";
    if (!painted && !REPLACED.test(element.tagName) && style.position === "static") return;
    const box = cut(moved(element.getBoundingClientRect(), space), clip);
    if (area(box) <= 0) return;
    covers.push({ element, box });
    coverSet.add(element);
  };
  const mayBeCovered = (element, box) =>
    covers.some(
      (cover) =>
        cover.box.l < box.r && cover.box.r > box.l && cover.box.t < box.b && cover.box.b > box.t && !within(element, cover.element),
    );
  const opaque = new Map();
  const paints = (style) => {
    if (Number(style.opacity) < 0.5) return false;
    if (alphaOf(style.backgroundColor) > 0.5) return true;
    if (parseFloat(/blur\(([\d.]+)px/.exec(style.backdropFilter)?.[1]) >= MIN_VEIL_PX) return true;
    const image = style.backgroundImage;
    if (image === "none" || image === "") return false;
    return image.includes("url(") || !/transparent|rgba\(|\//.test(image);
  };
  const isOpaque = (element) => {
    let known = opaque.get(element);
    if (known === undefined) {
      known = REPLACED.test(element.tagName) || paints(getComputedStyle(element));
      for (let node = element; known && node instanceof Element; node = node.parentElement) {
        if (Number(getComputedStyle(node).opacity) < 0.5) known = false;
      }
      opaque.set(element, known);
    }
    return known;
  };
  const within = (inner, outer) => {
    for (let node = inner; node; node = node.assignedSlot ?? node.parentNode ?? node.host) if (node === outer) return true;
    return false;
  };
  // The browser leaves out of its answer what takes no pointer.
  const touchable = new WeakSet();
  const makeTouchable = (root) => {
    if (touchable.has(root)) return;
    touchable.add(root);
    const sheet = new (root.ownerDocument ?? root).defaultView.CSSStyleSheet();
    sheet.replaceSync("* { pointer-events: auto !important; }");
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  };
  // Does anything opaque lie over `element`'s own text or picture at a point of the page?
  const shows = (element, x, y, space) => {
    if (space.outer && !shows(space.host, x, y, space.outer)) return false;
    makeTouchable(element.ownerDocument);
    const root = element.getRootNode();
    makeTouchable(root);
    const point = clientPoint(x, y, space);
    for (const other of root.elementsFromPoint(...point)) {
      if (other === element) return true;
      if (within(element, other)) return true;
      // The list is in the order of painting; of the faces of a cube only the browser's first answer is the nearest.
      if (coverSet.has(other) && isOpaque(other)) return root.elementFromPoint(...point) === element;
    }
    return true;
  };

  return { MAX_BLUR_EM, whole, cut, area, alphaOf, textIsPainted, clipsInside, isRaised, noteCover, mayBeCovered, shows };
};
