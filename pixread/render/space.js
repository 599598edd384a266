// How the content of an element lies on the page: turned, scaled, mirrored, blurred, seen from behind, or inside a frame. Runs at the
// start of every document, in the renderer's own world, and leaves its functions there for snapshot.js.
//
// A space is {frame, linear, context, blur} and, in a frame, {zoom, host, outer}:
//   frame: null in the page's own document, else {x, y, ux, uy, vx, vy}: where the frame's corner lies, and its two pixel steps
//   zoom, host, outer: the CSS zoom of the frame's element, that element, and the space that it lies in
//   linear: [a, b, c, d] as in a DOMMatrix, from an element's own lengths to the page's; CSS zoom stands beside it
//   context: the transform within a 3D rendering context (CSS Transforms 2, section 4), null for none
//   blur: standard deviation in page pixels of all blur() filters around it
globalThis.pixreadSpace = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const HERE = { frame: null, linear: [1, 0, 0, 1], context: null, blur: 0 };
  const isSvg = (element) => element.namespaceURI === SVG;

  // --- points and rectangles: {l, t, r, b} in page pixels --------------------------------------------------------------

  const onPage = (x, y, { frame }) => [frame.x + x * frame.ux + y * frame.vx, frame.y + x * frame.uy + y * frame.vy];
  const around = (points) => {
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    return { l: Math.min(...xs), t: Math.min(...ys), r: Math.max(...xs), b: Math.max(...ys) };
  };
  const moved = (rect, space) => {
    const { left, top, right, bottom } = rect;
    if (space.frame === null) return { l: left, t: top, r: right, b: bottom };
    return around([[left, top], [right, top], [right, bottom], [left, bottom]].map(([x, y]) => onPage(x, y, space)));
  };
  // The client pixel of a space's document that lies at a point of the page.
  const clientPoint = (x, y, { frame }) => {
    if (frame === null) return [x, y];
    const { ux, uy, vx, vy } = frame;
    const det = ux * vy - uy * vx || 1;
    const [dx, dy] = [x - frame.x, y - frame.y];
    return [(dx * vy - dy * vx) / det, (dy * ux - dx * uy) / det];
  };
  // quad: the corners of a frame's content box on the page, clockwise from its top left one: x1, y1, x2, y2, ...
  const inFrame = (element, quad, space) => {
    const width = element.contentWindow.innerWidth || 1;
    const height = element.contentWindow.innerHeight || 1;
    const [x, y, x2, y2, , , x4, y4] = quad;
    const frame = { x, y, ux: (x2 - x) / width, uy: (y2 - y) / width, vx: (x4 - x) / height, vy: (y4 - y) / height };
    return { ...HERE, frame, linear: [frame.ux, frame.uy, frame.vx, frame.vy], zoom: zoomOf(element), blur: space.blur, host: element, outer: space };
  };
  const quadBox = (quad) => around([0, 2, 4, 6].map((i) => [quad[i], quad[i + 1]]));

  // --- transforms ------------------------------------------------------------------------------------------------------

  const zoomOf = (element) => element.currentCSSZoom ?? 1; // older browsers zoom what they report
  const transformOf = (style) => {
    const { transform, rotate, scale } = style;
    if (transform === "none" && rotate === "none" && scale === "none") return null;
    const matrix = new DOMMatrix();
    if (rotate !== "none") {
      const parts = rotate.split(" ");
      const angle = parseFloat(parts.pop());
      const axis = { x: [1, 0, 0], y: [0, 1, 0] }[parts[0]] ?? (parts.length === 3 ? parts.map(Number) : [0, 0, 1]);
      matrix.rotateAxisAngleSelf(...axis, angle);
    }
    if (scale !== "none") {
      const [x, y = x, z = 1] = scale.split(" ").map(Number);
      matrix.scaleSelf(x, y, z);
    }
    return transform === "none" ? matrix : matrix.multiplySelf(new DOMMatrix(transform));
  };
  // Grouping properties flatten whatever transform-style says.
  const keepsDepth = (style) =>
    style.transformStyle === "preserve-3d" &&
    style.overflowX === "visible" &&
    style.overflowY === "visible" &&
    style.opacity === "1" &&
    style.filter === "none" &&
    style.clipPath === "none";
  const product = ([a, b, c, d], [e, f, g, h]) => [a * e + c * f, b * e + d * f, a * g + c * h, b * g + d * h];
  const blurOf = (element, style) => {
    let squares = 0;
    for (const [, radius] of style.filter.matchAll(/blur\(([\d.e+-]+)px\)/g)) squares += Number(radius) ** 2;
    for (const [, id] of style.filter.matchAll(/url\("#([^"]*)"\)/g)) {
      for (const blur of element.getRootNode().getElementById(id)?.querySelectorAll("feGaussianBlur") ?? []) {
        squares += blur.stdDeviationX.baseVal ** 2;
      }
    }
    return Math.sqrt(squares);
  };
  const sizeOf = ([a, b, c, d]) => Math.sqrt(Math.abs(a * d - b * c));

  // The space inside an element, or null where only its back would be seen and that is hidden.
  const inside = (element, style, space) => {
    const svg = isSvg(element);
    const transform = svg ? null : transformOf(style);
    const ownContext = transform && space.context ? space.context.multiply(transform) : (transform ?? space.context);
    const deep = ownContext !== null && keepsDepth(style);
    if (ownContext && !deep && style.backfaceVisibility === "hidden" && ownContext.inverse().m33 < 0) return null;
    const blur = style.filter === "none" ? 0 : blurOf(element, style);
    const leavesSvg = svg && element.tagName === "foreignObject";
    if (!transform && !blur && !leavesSvg && (deep ? ownContext : null) === space.context) return space;
    let { linear } = space;
    if (transform) linear = product(linear, [transform.m11, transform.m12, transform.m21, transform.m22]);
    if (leavesSvg) linear = svgLinear(element, space).map((part) => (part * (space.zoom ?? 1)) / zoomOf(element)); // which it has in it
    const radius = blur * sizeOf(linear) * zoomOf(element);
    return { ...space, linear, context: deep ? ownContext : null, blur: Math.hypot(space.blur, radius) };
  };
  const svgLinear = (element, space) => {
    const matrix = element.getScreenCTM();
    if (!matrix) return space.linear;
    const own = [matrix.a, matrix.b, matrix.c, matrix.d];
    const { frame } = space;
    return frame ? product([frame.ux, frame.uy, frame.vx, frame.vy], own) : own;
  };
  // What a length of 1 in an element's style is on the page, the direction of its lines (radians, clockwise), and whether it is
  // seen in a mirror.
  const scaleOf = (element, space) => {
    const svg = isSvg(element) && element.getScreenCTM;
    const linear = svg ? svgLinear(element, space) : space.linear;
    const [a, b, c, d] = linear;
    const zoom = svg ? 1 : zoomOf(element) / (space.zoom ?? 1);
    return { scale: sizeOf(linear) * zoom, angle: Math.atan2(b, a), mirrored: a * d - b * c < 0 };
  };

  return { HERE, isSvg, moved, clientPoint, inFrame, quadBox, inside, scaleOf };
})();
