// Gives a page other words, another font and other colours, all drawn from a seed, so that a model learns to read it and not to
// know it. The layout stays: replaced words have about the length of the old ones.
//
// argument: {seed, words, families}: `words` is a list of plain words, `families` the font families that may be used.
(argument) => {
  const { words, families } = argument;
  let state = argument.seed >>> 0;
  const random = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const chance = (share) => random() < share;
  const below = (count) => Math.floor(random() * count);
  const pick = (list) => list[below(list.length)];
  const between = (low, high) => low + random() * (high - low);

  // --- words -------------------------------------------------------------------------------------------------------

  const LETTERS = "etaoinshrdlucmfwypvbgkjqxz";
  const CODE = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789";
  const MIXED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const string = (alphabet, length) => Array.from({ length }, () => pick(alphabet)).join("");
  const digits = (length) => string("0123456789", length);
  const byLength = new Map();
  for (const word of words) {
    if (!byLength.has(word.length)) byLength.set(word.length, []);
    byLength.get(word.length).push(word);
  }
  const letters = (length) => {
    const known = byLength.get(Math.max(1, length + below(3) - 1));
    return known && chance(0.7) ? pick(known) : string(LETTERS, length);
  };
  const two = (number) => String(number).padStart(2, "0");
  const ODD = [
    (length) => digits(Math.min(length, 6)),
    (length) => `${pick("$€£")}${digits(Math.max(1, Math.min(length - 4, 4)))}.${digits(2)}`,
    () => `${1990 + below(45)}-${two(1 + below(12))}-${two(1 + below(28))}`,
    () => `${1 + below(28)}/${1 + below(12)}/${1990 + below(45)}`,
    () => `${pick(MONTHS)}-${1990 + below(45)}`,
    () => `${two(below(24))}:${two(below(60))}`,
    () => `${digits(2)}%`,
    () => `#${digits(4)}`,
    (length) => string(CODE, Math.max(3, Math.min(length, 8))),
    (length) => `${string(CODE, 2)}-${digits(Math.max(2, Math.min(length - 3, 5)))}`,
    (length) => string(MIXED, Math.max(4, Math.min(length, 10))),
    (length) => `${string(LETTERS, 3)}@${string(LETTERS, Math.max(3, length - 8))}.${pick(["com", "org", "net", "io"])}`,
    (length) => `v${below(10)}.${below(20)}.${below(10)}`,
    (length) => `${string(LETTERS, Math.max(2, length - 4))}_${string(LETTERS, 3)}()`,
  ];
  const cased = (word, model) => {
    if (model.length > 1 && model === model.toUpperCase()) return word.toUpperCase();
    if (model[0] !== model[0].toLowerCase()) return word[0].toUpperCase() + word.slice(1);
    return word;
  };
  const CORE = /^([^\p{L}\p{N}]*)(.*?)([^\p{L}\p{N}]*)$/su;
  const LATIN = /^[\p{Script=Latin}\d\W]+$/u;
  const replaced = (token) => {
    const [, before, core, after] = CORE.exec(token);
    if (!core || !LATIN.test(core)) return token; // other scripts keep their words
    if (core.length >= 4 && chance(0.1)) return before + pick(ODD)(core.length) + after;
    if (/\d/.test(core)) {
      return before + core.replace(/\d/g, () => digits(1)).replace(/\p{L}+/gu, (run) => cased(letters(run.length), run)) + after;
    }
    // Hyphens and apostrophes inside a word stay where they are.
    return before + core.replace(/\p{L}+/gu, (run) => cased(letters(run.length), run)) + after;
  };
  const renew = (text) => text.replace(/\S+/g, replaced);
  // Half of the pages keep a part of their own words, which are the ones a reader will meet.
  const share = chance(0.5) ? 1 : between(0.3, 0.9);
  const SILENT = /^(SCRIPT|STYLE|TEMPLATE|NOSCRIPT|TITLE|HEAD)$/;
  const renewAll = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) {
        if (!SILENT.test(node.parentNode.nodeName) && /\S/.test(node.data) && chance(share)) node.data = renew(node.data);
        continue;
      }
      if (node.shadowRoot) renewAll(node.shadowRoot);
      if (node.nodeName === "INPUT" || node.nodeName === "TEXTAREA") {
        if (node.placeholder && chance(share)) node.placeholder = renew(node.placeholder);
        if (node.value && /^(text|search|submit|reset|button|textarea)$/.test(node.type) && chance(share)) {
          node.value = renew(node.value);
        }
      }
    }
  };

  // --- fonts and colours ---------------------------------------------------------------------------------------------

  const rules = [];
  const ICONS = ':not(i):not([class*="icon"]):not([class*="fa-"]):not([class*="symbol"]):not([class*="glyph"])';
  if (families.length && chance(0.8)) {
    rules.push(`*${ICONS} { font-family: ${JSON.stringify(pick(families))} !important; }`);
    if (chance(0.4)) rules.push(`h1, h2, h3, h4, nav * { font-family: ${JSON.stringify(pick(families))} !important; }`);
  }
  if (chance(0.2)) rules.push(`body { letter-spacing: ${between(-0.01, 0.06).toFixed(3)}em !important; }`);
  if (chance(0.15)) rules.push("body { font-style: italic; }");
  if (chance(0.15)) rules.push(`body { font-weight: ${pick([300, 500, 600, 700])}; }`);

  const colour = () => [below(256), below(256), below(256)];
  const luminance = (parts) => {
    // WCAG 2.1, relative luminance
    const [r, g, b] = parts.map((part) => (part <= 10 ? part / 3294 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const against = (ground) => {
    for (let tries = 0; tries < 40; tries++) {
      const candidate = colour();
      if (contrast(candidate, ground) >= 4.5) return candidate;
    }
    return luminance(ground) > 0.18 ? [0, 0, 0] : [255, 255, 255];
  };
  const css = (parts) => `rgb(${parts.join(", ")})`;
  const theme = random();
  if (theme < 0.2) {
    const ground = colour();
    rules.push(
      `html { background: ${css(ground)} !important; }`,
      `* { background: none !important; color: ${css(against(ground))} !important; -webkit-text-fill-color: currentColor !important;
           border-color: ${css(against(ground))} !important; text-shadow: none !important; }`,
      `a, a *, h1, h2, h3 { color: ${css(against(ground))} !important; }`,
    );
  } else if (theme < 0.35) {
    rules.push("html { background: white; filter: invert(1) hue-rotate(180deg); }", "img, video { filter: invert(1) hue-rotate(180deg); }");
  } else if (theme < 0.55) {
    rules.push(`html { filter: hue-rotate(${below(360)}deg); }`);
  }

  renewAll(document.documentElement);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules.join("\n"));
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return "";
}
