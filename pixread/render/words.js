// From DOM text nodes to the words that are drawn of them. Runs at the start of every document, in the renderer's own world,
// and leaves one function there for snapshot.js.
//
// argument: drawn, a Map from text nodes to the text that the layout shows, where it is another than the DOM's (layout_text.py).
// A run is a row of text nodes that read as one text: {nodes, starts, dom, shown, element, style}. A piece is a part of a word that
// stands by itself on the page: {text, rect, start, end}; `rect` is in client pixels of its document, start and end count in `dom`.
globalThis.pixreadWords = (drawn) => {
  // Characters without a glyph of their own: the whole Unicode property, controls, and interlinear annotation marks.
  const INVISIBLE = /(?![\u200c\u200d])[\p{Default_Ignorable_Code_Point}\p{Cc}\ufff9-\ufffb]/gu;
  const ICON_GLYPH = /[\ue000-\uf8ff]|[\udb80-\udbff][\udc00-\udfff]/g; // private use: icon fonts
  // Joiners are kept where they change what is drawn: in scripts whose letters join, and in emoji.
  const JOINING = "Arab Syrc Nkoo Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr Tibt".split(" ");
  const joining = JOINING.map((script) => `\\p{Script=${script}}`).join("") + "\\p{M}\\p{Extended_Pictographic}\\p{Emoji_Modifier}";
  let ownLoneJoiner = null;
  const loneJoiner = () => (ownLoneJoiner ??= new RegExp(`(?<![${joining}])[\\u200c\\u200d]|[\\u200c\\u200d](?![${joining}])`, "gu"));
  const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f]/;
  const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
  const OVERRIDE = /[\u202d\u202e]/;
  const WORD = /(?:\S|\ufeff)+/g; // a byte order mark is white space to JavaScript and nothing to the eye
  const MIRRORED = new Map([..."()[]{}<>«»‹›"].map((sign, i, all) => [sign, all[i ^ 1]]));
  const MASKS = { disc: "\u2022", circle: "\u25e6", square: "\u25a0" };
  // Making a segmenter, or such an expression, takes tens of milliseconds, and most pages need none.
  let ownSegmenter = null;
  const segmenter = () => (ownSegmenter ??= new Intl.Segmenter("en", { granularity: "word" }));

  // --- what is shown of a text ---------------------------------------------------------------------------------------

  const tidy = (text) => {
    if (/^[\x20-\x7e]*$/.test(text)) return text;
    const visible = text.replace(ICON_GLYPH, "").replace(INVISIBLE, "");
    return /[\u200c\u200d]/.test(visible) ? visible.replace(loneJoiner(), "") : visible;
  };
  const cased = (text, transform, element) => {
    const upper = (part) => {
      try {
        return part.toLocaleUpperCase(element.closest("[lang]")?.getAttribute("lang") || "en");
      } catch (error) {
        return part.toUpperCase(); // lang="nonsense"
      }
    };
    if (transform === "uppercase") return upper(text);
    if (transform === "lowercase") return text.toLowerCase();
    if (transform === "capitalize") return text.replace(/(?<![\p{L}\p{M}\p{N}'\u2019_])\p{L}/gu, upper);
    return text;
  };
  const styled = (text, style, element) => {
    const mask = MASKS[style.webkitTextSecurity];
    return mask ? text.replace(/[^\n]/gu, mask) : cased(text, style.textTransform, element);
  };
  const hasSmallCapitals = (style) => /small-caps|petite-caps|unicase/.test(style.fontVariantCaps);
  // `inner`: nodes inside of a control, whose drawn text the layout does not tell; `joint` stands between two nodes.
  const runOf = (nodes, element, style, { inner = false, joint = "" } = {}) => {
    const starts = [];
    let dom = "";
    let shown = "";
    for (const node of nodes) {
      if (starts.length) [dom, shown] = [dom + joint, shown + joint];
      starts.push(dom.length);
      dom += node.data;
      shown += drawn.get(node) ?? (inner ? styled(node.data, style, element) : node.data);
    }
    if (hasSmallCapitals(style)) shown = cased(shown, "uppercase", element);
    return { nodes, starts, dom, shown, element, style };
  };
  // Words of a run with their places in the DOM's text. Where the layout shows more or fewer characters (ß as SS), word answers
  // to word.
  const wordsOf = (run) => {
    const exact = run.dom.length === run.shown.length;
    const shown = [...run.shown.matchAll(WORD)];
    if (exact) return shown.map((match) => ({ text: match[0], start: match.index, end: match.index + match[0].length }));
    const own = [...run.dom.matchAll(WORD)];
    return own.map((match, i) => ({
      text: own.length === shown.length ? shown[i][0] : match[0],
      start: match.index,
      end: match.index + match[0].length,
    }));
  };
  const textOf = (run, word, start, end) => {
    if (word.text.length === word.end - word.start) return word.text.slice(start - word.start, end - word.start);
    const transform = hasSmallCapitals(run.style) ? "uppercase" : run.style.textTransform;
    return cased(run.dom.slice(start, end), transform, run.element);
  };

  // --- where it stands -----------------------------------------------------------------------------------------------

  const range = document.createRange();
  const setRange = (run, start, end) => {
    const at = (offset, inside) => {
      let i = run.nodes.length - 1;
      while (i > 0 && (inside ? run.starts[i] >= offset : run.starts[i] > offset)) i--;
      return [run.nodes[i], Math.min(offset - run.starts[i], run.nodes[i].data.length)];
    };
    range.setStart(...at(start, false));
    range.setEnd(...at(end, true));
    return range;
  };
  const rectsOf = (run, start, end) => [...setRange(run, start, end).getClientRects()].filter((rect) => rect.width > 0 && rect.height > 0);
  const joined = (a, b) => {
    const left = Math.min(a.left, b.left);
    const top = Math.min(a.top, b.top);
    return new DOMRect(left, top, Math.max(a.right, b.right) - left, Math.max(a.bottom, b.bottom) - top);
  };
  // The pieces of a word that stand apart on the page: parts on different lines, and words of scripts without spaces.
  const piecesOf = (run, word, vertical) => {
    const rects = rectsOf(run, word.start, word.end);
    if (rects.length === 0) return [];
    const unspaced = UNSPACED.test(word.text);
    const whole = (start, end, rect) => ({ text: textOf(run, word, start, end), rect, start, end });
    if (rects.length === 1 && !unspaced) return [whole(word.start, word.end, rects[0])];
    if (!unspaced) return brokenPieces(run, word, word.start, word.end, vertical);
    const starts = [...segmenter().segment(run.dom.slice(word.start, word.end))].map((part) => word.start + part.index);
    return starts.flatMap((start, i) => {
      const end = starts[i + 1] ?? word.end;
      const own = rectsOf(run, start, end);
      if (own.length > 1) return brokenPieces(run, word, start, end, vertical);
      return own.length ? [whole(start, end, own[0])] : [];
    });
  };
  const brokenPieces = (run, word, start, end, vertical) => {
    const pieces = [];
    const [side, extent] = vertical ? ["left", "width"] : ["top", "height"];
    for (let i = start, next; i < end; i = next) {
      next = i + (run.dom.codePointAt(i) > 0xffff ? 2 : 1);
      const rect = rectsOf(run, i, next).at(-1) ?? null; // behind a soft hyphen the first one is the hyphen's
      const last = pieces[pieces.length - 1];
      if (last && (rect === null || Math.abs(rect[side] - last.rect[side]) < Math.max(2, last.rect[extent] / 2))) {
        if (rect) last.rect = joined(last.rect, rect);
        last.end = next;
      } else if (rect) pieces.push({ rect, start: i, end: next });
    }
    pieces.forEach((piece, i) => {
      piece.text = textOf(run, word, piece.start, piece.end);
      if (i < pieces.length - 1 && isHyphenated(run, piece.end)) piece.text += hyphenOf(run.style);
    });
    return pieces;
  };
  // Whether the browser draws a hyphen where a word breaks: at a soft hyphen, or where it hyphenates by itself.
  const isHyphenated = (run, at) => {
    if (run.style.hyphens === "none") return false;
    if (run.dom[at - 1] === "\u00ad") return true;
    const breaksAnywhere = run.style.wordBreak !== "normal" || run.style.overflowWrap !== "normal";
    const pair = run.dom.slice(at - 1, at + 1);
    // Scripts that break anywhere get none.
    const isAlphabetic = /^\p{L}\p{L}$/u.test(pair) && !UNSPACED.test(pair) && !/\p{Script=Hangul}/u.test(pair);
    return run.style.hyphens === "auto" && !breaksAnywhere && isAlphabetic;
  };
  const hyphenOf = (style) => (style.hyphenateCharacter === "auto" ? "-" : (style.hyphenateCharacter ?? "-").replace(/^"|"$/g, ""));

  // --- the order on the page -----------------------------------------------------------------------------------------

  // Text is drawn in another order than a reader of it would write it: under an override, or where a block from right to left has no
  // letter of such a script (its full stop stands in front).
  const isReordered = (run, block, overridden) => {
    if (overridden || OVERRIDE.test(run.dom)) return true;
    return run.style.direction === "rtl" && !RIGHT_TO_LEFT.test(run.dom) && block().textContent.trim() === run.dom.trim();
  };
  // Signs that are drawn as their mirror images, as places in the text. Of a pair the one on the left opens.
  const mirroredSigns = (run, characters, overridden) => {
    const mirrored = new Set();
    const open = [];
    for (const character of characters.filter(({ text }) => MIRRORED.has(text))) {
      const partner = open.findLastIndex(({ text }) => text === MIRRORED.get(character.text));
      if (partner < 0) open.push(character);
      else {
        const [other] = open.splice(partner);
        if (other.rect.left > character.rect.left) mirrored.add(other.start).add(character.start);
      }
    }
    for (const { start } of open) {
      // Unicode Bidirectional Algorithm, W7 and N1: between letters from left to right, and numbers behind one, a sign is so as well.
      const isLeftToRight = /\p{L}/u.test(run.dom.slice(0, start)) && /[\p{L}\p{N}]/u.test(run.dom.slice(start + 1));
      if (overridden || (run.style.direction === "rtl" && !isLeftToRight)) mirrored.add(start);
    }
    return mirrored;
  };
  // The words of a run as the eye finds them: from left to right, or from right to left where most letters are of such a script.
  // `cutter` is what pixreadEllipsis has for the run's element, or null.
  const visualPieces = (run, overridden, cutter) => {
    const text = run.dom.length === run.shown.length ? run.shown : run.dom;
    const characters = [];
    for (let i = 0, next; i < text.length; i = next) {
      next = i + (run.dom.codePointAt(i) > 0xffff ? 2 : 1);
      const rect = rectsOf(run, i, next)[0];
      if (rect) characters.push({ text: text.slice(i, next), rect, start: i, end: next });
    }
    const mirrored = mirroredSigns(run, characters, overridden);
    const lines = [];
    for (const character of characters) {
      if (mirrored.has(character.start)) character.text = MIRRORED.get(character.text);
      const middle = (character.rect.top + character.rect.bottom) / 2;
      const line = lines.find(({ top, bottom }) => middle > top && middle < bottom);
      if (line) line.characters.push(character);
      else lines.push({ top: character.rect.top, bottom: character.rect.bottom, characters: [character] });
    }
    return lines.flatMap(({ characters }) => wordsInReadingOrder(cutter ? cutLine(run, characters, cutter) : characters));
  };
  const cutLine = (run, characters, cutter) => {
    const inward = run.style.direction === "rtl" ? (a, b) => b.rect.right - a.rect.right : (a, b) => a.rect.left - b.rect.left;
    return characters.sort(inward).flatMap((character) => cutter(character, (start, end) => rectsOf(run, start, end)));
  };
  const wordsInReadingOrder = (characters) => {
    const letters = characters.filter(({ text }) => /\p{L}/u.test(text));
    const backward = letters.filter(({ text }) => RIGHT_TO_LEFT.test(text)).length > letters.length / 2;
    const along = backward ? (a, b) => b.rect.right - a.rect.right : (a, b) => a.rect.left - b.rect.left;
    const pieces = [];
    let open = null;
    for (const character of withStretchesTurned(characters.sort(along), backward)) {
      if (/\s/.test(character.text)) open = null;
      else if (open) {
        open.text += character.text;
        open.rect = joined(open.rect, character.rect);
      } else pieces.push((open = { ...character }));
    }
    return pieces;
  };
  // Within a line that is read one way, text of the other direction is read the other way; numbers always from left to right.
  const withStretchesTurned = (characters, backward) => {
    const kindOf = ({ text }) => (RIGHT_TO_LEFT.test(text) ? "R" : /\p{N}/u.test(text) ? "N" : /\p{L}/u.test(text) ? "L" : "-");
    const kinds = characters.map(kindOf).join("");
    const turned = (pattern) => (list, text) => {
      const result = [...list];
      for (const match of text.matchAll(pattern)) {
        result.splice(match.index, match[0].length, ...result.slice(match.index, match.index + match[0].length).reverse());
      }
      return result;
    };
    if (backward) return turned(/[LN](?:[LN-]*[LN])?/g)(characters, kinds);
    const once = turned(/R(?:[RN-]*R)?/g)(characters, kinds);
    const numbers = /(?<=R-*)N(?:N|-(?=N))*(?=-*R)/g; // they stood inside of a stretch that was turned
    return turned(numbers)(once, once.map(kindOf).join(""));
  };

  return { RIGHT_TO_LEFT, tidy, cased, hasSmallCapitals, runOf, wordsOf, piecesOf, rectsOf, isReordered, visualPieces };
};
