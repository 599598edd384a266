// Lets a page come to rest after loading: runs its time, scrolls it through, waits for its requests, stops what moves, and
// measures how high its content is.
//
// argument: {restMs, maxCalls, maxRealMs, waitMs, frames, reach, scrolls, pinTo, last}: how much virtual time to run (see virtual_time.js),
//   how many calls each of its steps may make and how long it may really take, the longest wait for what loads (over all calls for
//   one page), the number of frames to wait for, how far down the picture may reach, whether to scroll there, the height that the
//   viewport had before it has grown, or null, and whether the picture is taken next.
// returns JSON: {height, nodes, url, unread, missing}: the content's height in CSS pixels, the number of elements, where the page is,
//   whether some style sheet could not be read, and how many pictures, fonts and frames did not come in time.
async (argument) => {
  const { restMs, maxCalls, maxRealMs, waitMs, frames, reach, scrolls, pinTo, last } = argument;
  // What the calls for one page share.
  const state = (globalThis.pixreadSettling ??= {
    clockMs: 0,
    waitedMs: 0,
    frames: new Set(document.querySelectorAll("iframe, frame")), // those that came with the page, and were loaded with it
    opening: new Set(), // frames that load later
    backgrounds: new Map(), // address -> Image
    shown: new Map(), // element -> how it was marked while it was in view
  });
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const turn = () =>
    new Promise((done) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done();
      channel.port2.postMessage(0);
    });
  const frame = () => Promise.race([new Promise((done) => requestAnimationFrame(done)), pause(1000)]); // on busy machines, too
  const documents = () => {
    const all = [document];
    for (const frame of document.querySelectorAll("iframe, frame")) {
      if (frame.contentDocument) all.push(frame.contentDocument);
    }
    return all;
  };
  const root = document.documentElement;
  if (root === null) return JSON.stringify({ height: 0, nodes: 0, url: location.href, unread: false, missing: 0 }); // thrown away

  // --- what loads --------------------------------------------------------------------------------------------------

  // Whether a document's scripts wait for answers (see virtual_time.js).
  const isFetching = (target) => !target.dispatchEvent(new CustomEvent("pixread-is-fetching", { cancelable: true }));
  const isLazy = (element) => element.getAttribute("loading")?.toLowerCase() === "lazy";
  const missing = () => {
    const unloaded = [...state.opening, ...[...state.backgrounds.values()].filter((image) => !image.complete)];
    for (const target of documents()) {
      unloaded.push(...[...target.images].filter((image) => !image.complete && !isLazy(image)));
      unloaded.push(...[...target.fonts].filter((font) => font.status === "loading"));
    }
    return unloaded;
  };
  const isLoading = () => missing().length > 0 || documents().some((target) => isFetching(target) || target.fonts.status === "loading");
  const untilLoaded = async (isWaiting) => {
    const start = performance.now();
    while (state.waitedMs + performance.now() - start < waitMs && isWaiting()) await pause(4);
    state.waitedMs += performance.now() - start;
  };
  // Pictures and frames that would load when they come near the viewport are loaded now, and so give the page its height.
  // What lies too far down to be in the picture stays unloaded.
  const wake = () => {
    for (const target of documents()) {
      for (const element of target.querySelectorAll('img[loading="lazy" i], iframe[loading="lazy" i]')) {
        if (target === document && element.getBoundingClientRect().top > reach) continue;
        element.loading = "eager";
        if (element.tagName === "IFRAME") state.frames.delete(element);
      }
    }
    for (const element of document.querySelectorAll("iframe, frame")) {
      if (state.frames.has(element) || isLazy(element)) continue;
      state.frames.add(element);
      state.opening.add(element);
      element.addEventListener("load", () => state.opening.delete(element), { once: true });
    }
  };
  const ADDRESS = /url\("((?!data:)[^"]*)"\)/g;
  const findBackgrounds = () => {
    for (const target of documents()) {
      for (const element of target.getElementsByTagName("*")) {
        const image = target.defaultView.getComputedStyle(element).backgroundImage;
        if (image === "none" || !image) continue;
        for (const [, address] of image.matchAll(ADDRESS)) {
          if (state.backgrounds.has(address)) continue;
          const copy = new Image();
          copy.src = address;
          state.backgrounds.set(address, copy);
        }
      }
    }
  };
  // Sections that are laid out when they come near the viewport have a guessed height until then.
  const layOut = () => {
    for (const element of document.querySelectorAll("*")) {
      if (getComputedStyle(element).contentVisibility === "auto") {
        element.style.setProperty("content-visibility", "visible", "important");
      }
    }
  };

  // A frame whose server answers with an error, or whose XML cannot be parsed, is a part that is lost.
  const hideFailed = () => {
    for (const frame of document.querySelectorAll("iframe, frame")) {
      const inner = frame.contentDocument;
      if (inner === null) continue;
      const status = frame.contentWindow.performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0;
      const isBroken = inner.contentType.endsWith("xml") && inner.querySelector("parsererror") !== null;
      if (status >= 400 || isBroken) frame.style.setProperty("visibility", "hidden", "important");
    }
  };

  // --- time --------------------------------------------------------------------------------------------------------

  const fastForward = async (ms) => {
    const STEP_MS = 100;
    const stop = performance.now() + maxRealMs;
    const until = state.clockMs + ms;
    let idle = 0;
    for (let now = state.clockMs; now <= until && performance.now() < stop; now += STEP_MS) {
      // Answers come at once, as far as the page's clock is concerned: what comes of them is then the same every time.
      await untilLoaded(() => documents().some(isFetching));
      const detail = `${now} ${maxCalls} ${stop - performance.now()}`;
      let waiting = false;
      for (const target of documents()) {
        waiting = target.dispatchEvent(new CustomEvent("pixread-clock", { detail, cancelable: true })) || waiting;
      }
      await turn(); // lets promises and events of the page run in between
      idle = waiting ? 0 : idle + 1;
      if (idle > 2) break;
    }
    state.clockMs = until;
  };

  // --- scrolling ---------------------------------------------------------------------------------------------------

  const STEP = 0.5; // of the viewport's height
  const LOOK_MS = 200; // virtual time that a page has at every step
  const jumpTo = (top) => window.scrollTo({ top, left: 0, behavior: "instant" });
  const lookAt = async (top) => {
    jumpTo(top);
    await frame(); // scroll events and observers of what is in view go with frames
    await turn();
    window.dispatchEvent(new Event("resize")); // see virtual_time.js
    await fastForward(LOOK_MS);
    wake();
  };
  const MARKS = ["class", "style", "hidden"];
  // Sections that appear when they are scrolled to are shown by a class, most of them; some lose it when they are out of view.
  const noteMarks = (changed) => {
    for (const target of changed) {
      const { top, bottom } = target.getBoundingClientRect();
      if (bottom > 0 && top < window.innerHeight) state.shown.set(target, MARKS.map((name) => target.getAttribute(name)));
    }
  };
  const hasScrollListener = () => !document.dispatchEvent(new CustomEvent("pixread-has-scroll-listener", { cancelable: true }));
  const scrollThrough = async () => {
    const bottom = () => Math.min(root.scrollHeight, reach) - window.innerHeight;
    if (bottom() <= 0 || !hasScrollListener()) return;
    const stop = performance.now() + waitMs;
    const changed = new Set();
    const observer = new MutationObserver((records) => records.forEach(({ target }) => changed.add(target)));
    observer.observe(root, { subtree: true, attributes: true, attributeFilter: MARKS });
    for (let top = 0; performance.now() < stop; ) {
      top = Math.min(top + STEP * window.innerHeight, bottom());
      await lookAt(top);
      noteMarks(changed);
      changed.clear();
      if (top >= bottom()) break;
    }
    observer.disconnect();
    await lookAt(0);
  };
  const isHidden = (element) => {
    const style = getComputedStyle(element);
    return Number(style.opacity) < 0.1 || style.visibility !== "visible" || style.display === "none";
  };
  const mark = (element, values) =>
    MARKS.forEach((name, i) => {
      if (values[i] === null) element.removeAttribute(name);
      else if (element.getAttribute(name) !== values[i]) element.setAttribute(name, values[i]);
    });
  // Shows again what was shown while it was in view; what floats over the page is shown by its place, and stays as it is.
  const showAgain = async () => {
    const tried = [];
    for (const [element, marks] of state.shown) {
      if (!element.isConnected || !isHidden(element) || /fixed|sticky/.test(getComputedStyle(element).position)) continue;
      tried.push([element, MARKS.map((name) => element.getAttribute(name))]);
      mark(element, marks);
    }
    if (tried.length) await stopMotion();
    for (const [element, before] of tried) if (isHidden(element)) mark(element, before);
  };

  // --- motion ------------------------------------------------------------------------------------------------------

  const stop = (animation) => {
    const { timeline } = animation;
    if (timeline instanceof ViewTimeline) {
      // Driven by scrolling: shown as in the middle of the window.
      const start = animation.startTime?.value ?? 0;
      animation.pause();
      animation.currentTime = CSS.percent(50 - start);
      return;
    }
    const end = animation.effect.getComputedTiming().endTime;
    if (Number.isFinite(end)) animation.finish();
    else {
      // An endless animation is shown as it begins. Paused first: the pause would else wait for a frame, and
      // then hold whatever moment that is.
      animation.pause();
      animation.currentTime = animation.effect.getComputedTiming().delay;
    }
  };
  const stopMotion = async () => {
    for (let round = 0; round < 3; round++) {
      let running = 0;
      for (const target of documents()) {
        for (const animation of target.getAnimations()) {
          if (animation.playState !== "running") continue;
          running++;
          try {
            stop(animation);
          } catch (error) {
            animation.cancel(); // cannot be set to a moment
          }
        }
      }
      if (!running) break;
      await turn();
    }
    for (const target of documents()) {
      for (const media of target.querySelectorAll("video, audio")) {
        media.pause();
        // While a video loads, its controls turn a wheel that no script can stop.
        if (media.tagName === "VIDEO") media.controls = false;
      }
      // These move by the real clock: a bar without a value is shown empty, running text at rest.
      for (const bar of target.querySelectorAll("progress:not([value])")) bar.value = 0;
      for (const text of target.querySelectorAll("marquee")) {
        const box = target.createElement("div");
        for (const { name, value } of text.attributes) box.setAttribute(name, value);
        box.style.cssText += "; overflow: hidden; white-space: nowrap";
        box.append(...text.childNodes);
        text.replaceWith(box);
      }
    }
  };

  // --- the viewport's height ---------------------------------------------------------------------------------------

  // Lengths that hang on the viewport's height grow with it: a title "as high as the window" would push all else off the
  // picture. They are fixed at the height the viewport had.
  let unread = false;
  const VIEWPORT_UNIT = /(\d*\.?\d+)[dls]?(vh|vb|vmin|vmax)\b/g;
  const lengthOf = { vh: pinTo, vb: pinTo, vmin: Math.min(pinTo, window.innerWidth), vmax: Math.max(pinTo, window.innerWidth) };
  const hangs = (text) => /v(h|b|min|max)\b/.test(text);
  const pinned = (value) => value.replace(VIEWPORT_UNIT, (_, number, unit) => `${(Number(number) * lengthOf[unit]) / 100}px`);
  const pinStyle = (style) => {
    if (!hangs(style.cssText)) return;
    for (const name of [...style]) {
      const value = style.getPropertyValue(name);
      if (hangs(value)) style.setProperty(name, pinned(value), style.getPropertyPriority(name));
    }
  };
  const pinRules = (rules) => {
    for (const rule of rules) {
      if (rule.style) pinStyle(rule.style);
      if (rule.cssRules) pinRules(rule.cssRules);
    }
  };
  const pin = () => {
    for (const sheet of [...document.styleSheets, ...document.adoptedStyleSheets]) {
      try {
        pinRules(sheet.cssRules);
      } catch (error) {
        unread = true; // a style sheet of another site does not show its rules
      }
    }
    for (const element of document.querySelectorAll('[style*="vh"], [style*="vb"], [style*="vm"]')) pinStyle(element.style);
    if (Math.abs(root.getBoundingClientRect().height - window.innerHeight) < 1) {
      root.style.setProperty("height", `${pinTo}px`, "important"); // what per cent heights are taken of
    }
  };
  // So are the rules of style sheets for windows of some height or shape.
  const pinMedia = (rules) => {
    for (const rule of rules) {
      const media = rule.media?.mediaText ?? "";
      if (/height|orientation|aspect-ratio/.test(media)) rule.media.mediaText = matchMedia(media).matches ? "all" : "not all";
      if (rule.cssRules && !(rule instanceof CSSStyleRule)) pinMedia(rule.cssRules);
    }
  };
  const pinSheets = () => {
    for (const sheet of [...document.styleSheets, ...document.adoptedStyleSheets]) {
      try {
        pinMedia(sheet.cssRules);
      } catch (error) {
        // A style sheet of another site does not show its rules.
      }
    }
  };
  const height = () => {
    if (root.scrollHeight > window.innerHeight) return root.scrollHeight;
    // The page is lower than the viewport: scrollHeight would give the viewport.
    let bottom = 0;
    for (const element of root.getElementsByTagName("*")) {
      const rect = element.getBoundingClientRect();
      if (rect.width > 0 && rect.height > 0) bottom = Math.max(bottom, rect.bottom);
    }
    return Math.min(window.innerHeight, Math.ceil(Math.max(bottom, root.getBoundingClientRect().bottom)));
  };

  // --- the steps ---------------------------------------------------------------------------------------------------

  for (let i = 0; i < frames; i++) await frame();
  wake();
  await fastForward(restMs);
  if (scrolls) {
    layOut();
    pinSheets();
    await scrollThrough();
  }
  wake();
  findBackgrounds();
  await untilLoaded(isLoading);
  // A font that does not come keeps its text invisible for three seconds, unless another may stand in for it.
  for (const target of documents()) for (const font of target.fonts) if (font.status === "loading") font.display = "swap";
  // Before motion is stopped: a length that jumps may start a transition.
  if (pinTo !== null && root.scrollHeight > window.innerHeight) pin();
  await stopMotion();
  if (last) await showAgain();
  hideFailed();
  jumpTo(0);

  const active = document.activeElement;
  if (active && (active.isContentEditable || active.matches("input, textarea"))) {
    active.style.setProperty("caret-color", "transparent", "important");
  }
  return JSON.stringify({
    height: height(),
    nodes: document.getElementsByTagName("*").length,
    url: location.href,
    unread,
    missing: missing().length,
  });
}
