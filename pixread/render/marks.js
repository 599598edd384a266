// What is drawn on a page beside the words of its tree: pictures, icons, controls, edges of boxes, and what may look like text but is not
// read. Runs at the start of every document, in the renderer's own world, and leaves one function there for snapshot.js.
//
// Boxes are {l, t, r, b} in page pixels. A mark is {kind, box, element, space}; the kinds stand in pixread/records.py (Mark).
globalThis.pixreadMarks = ({ zoom }, { cut, area, alphaOf, mayBeCovered, shows }) => {
  const MAX_MARKS = 6000; // of a page; what comes later is left out
  const MAX_ICON_PX = 48; // longest side of an icon, in page pixels
  const MIN_PX = 3; // shorter sides are those of no picture and no control
  const MIN_ALPHA = 0.1;
  const CONTROLS = new Set("INPUT TEXTAREA SELECT BUTTON METER PROGRESS".split(" "));
  const ROLES = /^(button|checkbox|radio|switch|tab|textbox|searchbox|combobox|slider|spinbutton)$/;
  const SIDES = ["Top", "Right", "Bottom", "Left"];

  const marks = [];
  const add = (kind, box, element = null, space = null) => {
    if (marks.length < MAX_MARKS && area(box) > 0) marks.push({ kind, box, element, space });
  };
  const isLarge = (box) => box.r - box.l >= MIN_PX && box.b - box.t >= MIN_PX;
  const pictureKind = (box) => (Math.max(box.r - box.l, box.b - box.t) <= MAX_ICON_PX ? "icon" : "picture");
  const notePicture = (element, box, space) => isLarge(box) && add(pictureKind(box), box, element, space);
  const noteIcon = (box) => add("icon", box);
  const noteUnread = (box) => add("unread", box);

  const isControl = (element) => {
    if (element.tagName === "INPUT") return element.type !== "hidden" && element.type !== "image";
    return CONTROLS.has(element.tagName) || ROLES.test(element.getAttribute("role") ?? "");
  };
  // The four sides of a box, each as thick as its border; a ground of its own gives it sides one pixel thick.
  const sidesOf = (box, style, scale, hasGround) =>
    SIDES.flatMap((side, i) => {
      const width = parseFloat(style[`border${side}Width`]) * scale;
      const drawn = width > 0 && style[`border${side}Style`] !== "none" && alphaOf(style[`border${side}Color`]) > MIN_ALPHA;
      if (!drawn && !hasGround) return [];
      const thick = drawn ? Math.max(width, 1 / zoom) : 1 / zoom;
      if (i === 0) return [{ ...box, b: Math.min(box.b, box.t + thick) }];
      if (i === 1) return [{ ...box, l: Math.max(box.l, box.r - thick) }];
      if (i === 2) return [{ ...box, t: Math.max(box.t, box.b - thick) }];
      return [{ ...box, r: Math.min(box.r, box.l + thick) }];
    });
  // An element that is drawn, with the colour that it stands on; gives the colour that its content stands on.
  const noteElement = (element, style, { boxes, clip, scale, space, ground }) => {
    const hasColour = alphaOf(style.backgroundColor) > MIN_ALPHA && style.backgroundColor !== ground;
    const image = style.backgroundImage;
    if (style.visibility !== "visible" || element === element.ownerDocument.documentElement || element === element.ownerDocument.body) {
      return hasColour ? style.backgroundColor : ground;
    }
    const hasGround = hasColour || image.includes("gradient(") || style.boxShadow !== "none";
    for (const box of boxes()) {
      const clipped = cut(box, clip);
      if (area(clipped) <= 0) continue;
      if (image.includes("url(")) notePicture(element, clipped, space);
      if (isControl(element) && isLarge(clipped)) add("control", clipped, element, space);
      for (const side of sidesOf(box, style, scale(), hasGround)) add("edge", cut(side, clip), element, space);
    }
    return hasColour ? style.backgroundColor : ground;
  };

  // What lies under something else is not drawn. Asked of the middle alone, and of edges not at all: they are many.
  const isDrawn = ({ kind, box, element, space }) => {
    if (element === null || kind === "edge" || !mayBeCovered(element, box)) return true;
    return shows(element, (box.l + box.r) / 2, (box.t + box.b) / 2, space);
  };
  const finished = () => marks.filter(isDrawn);

  return { notePicture, noteIcon, noteUnread, noteElement, finished };
};
