// Waits until a page stands still, stops what moves, and measures how high its content is.
//
// argument: {fromMs, untilMs, maxCalls, maxRealMs, maxWaitMs, frames, pinTo}: the stretch of virtual time to run (see
//   clock.js), how many calls each of its steps may make and how long it may really take, the longest wait for what still loads, the number of frames to wait for, and, after the viewport
//   has grown, the height it had before, or null.
// returns JSON: {height, nodes, url}: the content's height in CSS pixels, the number of elements, and where the page is.
async (argument) => {
  const { fromMs, untilMs, maxCalls, maxRealMs, maxWaitMs, frames, pinTo } = argument;
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const turn = () =>
    new Promise((done) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done();
      channel.port2.postMessage(0);
    });
  const atMost = (promise, ms) => Promise.race([promise, pause(ms)]);

  const loaded = async () => {
    if (document.readyState !== "complete") {
      await new Promise((done) => window.addEventListener("load", done, { once: true }));
    }
  };
  // Lazy pictures load when they are near the viewport, and are waited for when they are in it.
  const isAwaited = (image) => {
    if (image.complete || !image.getAttribute("src")) return false;
    if (image.loading !== "lazy") return true;
    const { top, bottom } = image.getBoundingClientRect();
    return frames > 0 && bottom > 0 && top < window.innerHeight;
  };
  const pictures = () => [...document.images].filter(isAwaited);
  const picturesLoaded = () =>
    Promise.all(
      pictures().map(
        (image) =>
          new Promise((done) => {
            image.addEventListener("load", done, { once: true });
            image.addEventListener("error", done, { once: true });
          }),
      ),
    );

  const fastForward = async () => {
    const STEP_MS = 100;
    const stop = performance.now() + maxRealMs;
    let idle = 0;
    for (let until = fromMs; until <= untilMs && performance.now() < stop; until += STEP_MS) {
      const detail = `${until} ${maxCalls} ${stop - performance.now()}`;
      let waiting = false;
      for (const target of documents()) {
        waiting = target.dispatchEvent(new CustomEvent("pixread-clock", { detail, cancelable: true })) || waiting;
      }
      await turn(); // lets promises and events of the page run in between
      idle = waiting ? 0 : idle + 1;
      if (idle > 2) break;
    }
  };
  const documents = () => {
    const found = [document];
    for (const frame of document.querySelectorAll("iframe, frame")) {
      if (frame.contentDocument) found.push(frame.contentDocument);
    }
    return found;
  };

  const stopMotion = async () => {
    for (let round = 0; round < 3; round++) {
      let running = 0;
      for (const target of documents()) {
        for (const animation of target.getAnimations()) {
          if (animation.playState !== "running") continue;
          running++;
          try {
            const end = animation.effect.getComputedTiming().endTime;
            if (Number.isFinite(end)) animation.finish();
            else {
              // An endless animation is shown as it begins. Paused first: the pause would else wait for a frame, and
              // then hold whatever moment that is.
              animation.pause();
              animation.currentTime = animation.effect.getComputedTiming().delay;
            }
          } catch (error) {
            animation.cancel(); // driven by scrolling, not by time
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
    }
  };

  // Lengths that hang on the viewport's height grow with it: a title "as high as the window" would push all else off the
  // picture. They are fixed at the height the viewport had.
  const VIEWPORT_UNIT = /(\d*\.?\d+)[dls]?vh\b/g;
  const pinned = (value) => value.replace(VIEWPORT_UNIT, (_, number) => `${(Number(number) * pinTo) / 100}px`);
  const pinStyle = (style) => {
    if (!style.cssText.includes("vh")) return;
    for (const name of [...style]) {
      const value = style.getPropertyValue(name);
      if (value.includes("vh")) style.setProperty(name, pinned(value), style.getPropertyPriority(name));
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
        // A style sheet of another site does not show its rules.
      }
    }
    for (const element of document.querySelectorAll('[style*="vh"]')) pinStyle(element.style);
    if (Math.abs(root.getBoundingClientRect().height - window.innerHeight) < 1) {
      root.style.setProperty("height", `${pinTo}px`, "important"); // what per cent heights are taken of
    }
  };

  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await atMost(loaded(), maxWaitMs);
  const root = document.documentElement; // a document that has just begun has none yet
  if (root === null) return JSON.stringify({ height: 0, nodes: 0, url: location.href }); // the page has thrown it away
  for (let i = 0; i < frames; i++) await atMost(frame(), 100);
  await fastForward();
  await atMost(Promise.all([picturesLoaded(), document.fonts.ready]), maxWaitMs);
  // Before motion is stopped: a length that jumps may start a transition.
  if (pinTo !== null && root.scrollHeight > window.innerHeight) pin();
  await stopMotion();
  window.scrollTo(0, 0);

  const active = document.activeElement;
  if (active && (active.isContentEditable || active.matches("input, textarea"))) {
    active.style.setProperty("caret-color", "transparent", "important");
  }

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
  return JSON.stringify({
    height: height(),
    nodes: document.getElementsByTagName("*").length,
    url: location.href,
  });
}
