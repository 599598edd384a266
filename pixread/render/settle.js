// Waits until a page stands still, stops what moves, and measures how high its content is.
//
// argument: {advanceMs, untilMs, maxCalls, maxRealMs, maxWaitMs, frames}
// returns: {height, quirk}: the content height in CSS pixels at the present viewport.
async (argument) => {
  const { fromMs, untilMs, maxCalls, maxRealMs, maxWaitMs, frames } = argument;
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
  const pictures = () => [...document.images].filter((image) => !image.complete && image.getAttribute("src"));
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
    const ROUNDS = 6;
    for (let round = 1; round <= ROUNDS; round++) {
      const until = fromMs + ((untilMs - fromMs) * round) / ROUNDS;
      const detail = `${until} ${Math.ceil(maxCalls / ROUNDS)} ${maxRealMs / ROUNDS}`;
      for (const target of documents()) {
        target.dispatchEvent(new CustomEvent("pixread-clock", { detail }));
      }
      await turn(); // lets promises and events of the page run in between
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
              // An endless animation is shown as it begins.
              animation.currentTime = animation.effect.getComputedTiming().delay;
              animation.pause();
            }
          } catch (error) {
            animation.cancel(); // driven by scrolling, not by time
          }
        }
      }
      if (!running) break;
      await turn();
    }
    for (const video of document.querySelectorAll("video, audio")) video.pause();
  };

  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await atMost(loaded(), maxWaitMs);
  for (let i = 0; i < frames; i++) await atMost(frame(), 100);
  await fastForward();
  await atMost(Promise.all([picturesLoaded(), document.fonts.ready]), maxWaitMs);
  await stopMotion();
  window.scrollTo(0, 0);

  const active = document.activeElement;
  if (active && (active.isContentEditable || active.matches("input, textarea"))) {
    active.style.setProperty("caret-color", "transparent", "important");
  }

  const root = document.documentElement;
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
    height: root ? height() : 0,
    nodes: document.getElementsByTagName("*").length,
    url: location.href,
    kind: document.contentType,
  });
}
