// Runs in every document before its own scripts. Makes time and chance repeatable, and closes the ways out of the page.
//
// Until the renderer asks, timers run as usual. Then the renderer dispatches "pixread-clock" events, and each one runs the timers and
// animation frames of the next stretch of virtual time at once: fades, counters and loading screens reach their end in
// milliseconds and always at the same moment. After the last event time stands still.
(argument) => {
  const { epoch, seed } = argument;
  const RealDate = Date;
  const realSetTimeout = window.setTimeout.bind(window);
  const realClearTimeout = window.clearTimeout.bind(window);
  const realFrame = window.requestAnimationFrame.bind(window);
  const realNow = performance.now.bind(performance);
  const FRAME_MS = 1000 / 60;

  let virtual = null; // milliseconds since the document began, once virtual time has taken over
  const now = () => (virtual === null ? realNow() : virtual);

  let state = seed >>> 0;
  Math.random = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  class FixedDate extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(epoch + Math.floor(now()));
      else super(...args);
    }
    static now() {
      return epoch + Math.floor(now());
    }
  }
  // Date() without `new` gives a string; a class alone would throw.
  window.Date = new Proxy(FixedDate, { apply: () => new FixedDate().toString() });
  FixedDate.prototype.constructor = window.Date;
  performance.now = () => now();

  const timers = new Map(); // id -> {due, period, run, real}
  let nextId = 1;
  const fire = (id) => {
    const timer = timers.get(id);
    if (!timer) return;
    if (timer.period === null) timers.delete(id);
    else {
      timer.due = Math.max(now(), timer.due) + timer.period;
      if (virtual === null) timer.real = realSetTimeout(() => fire(id), timer.period);
    }
    timer.run();
  };
  const add = (run, delay, period) => {
    const id = nextId++;
    const wait = Math.max(1, Number(delay) || 0);
    const timer = { due: now() + wait, period: period ? wait : null, run, real: 0 };
    timers.set(id, timer);
    if (virtual === null) timer.real = realSetTimeout(() => fire(id), wait);
    return id;
  };
  const callable = (handler, args) =>
    typeof handler === "function" ? () => handler.apply(window, args) : () => (0, eval)(String(handler));
  const clear = (id) => {
    const timer = timers.get(id);
    if (timer) realClearTimeout(timer.real);
    timers.delete(id);
  };
  window.setTimeout = (handler, delay, ...args) => add(callable(handler, args), delay, false);
  window.setInterval = (handler, delay, ...args) => add(callable(handler, args), delay, true);
  window.clearTimeout = clear;
  window.clearInterval = clear;
  window.requestAnimationFrame = (handler) => {
    const id = nextId++;
    const timer = { due: now() + FRAME_MS, period: null, run: () => handler(now()), real: 0 };
    timers.set(id, timer);
    if (virtual === null) realFrame(() => virtual === null && fire(id));
    return id;
  };
  window.cancelAnimationFrame = clear;
  window.requestIdleCallback = (handler) => add(() => handler({ didTimeout: false, timeRemaining: () => 10 }), 1, false);
  window.cancelIdleCallback = clear;

  const earliest = (until) => {
    let best = null;
    for (const [id, timer] of timers) {
      if (timer.due <= until && (best === null || timer.due < timers.get(best).due)) best = id;
    }
    return best;
  };
  const advance = (until, calls, realMs) => {
    if (virtual === null) {
      virtual = realNow();
      for (const timer of timers.values()) realClearTimeout(timer.real);
    }
    const stop = realNow() + realMs;
    for (let id = earliest(until); id !== null && calls > 0; id = earliest(until), calls--) {
      if (realNow() > stop) break;
      virtual = Math.max(virtual, timers.get(id).due);
      try {
        fire(id);
      } catch (error) {
        // A page's own mistake: it would have ended up in the console.
      }
    }
    virtual = Math.max(virtual, until);
  };
  document.addEventListener("pixread-clock", (event) => {
    const [until, calls, realMs] = String(event.detail).split(" ").map(Number);
    advance(until, calls, realMs);
  });

  // The viewport grows to the page's height before the picture is taken; scripts that fit things to the window would
  // stretch the page with it. Registered first, this listener is the only one that hears of it.
  window.addEventListener("resize", (event) => event.stopImmediatePropagation(), true);

  // Dialogs would wait for a person, and a page that leaves would not be the page that was asked for.
  for (const name of ["alert", "print", "open", "close", "stop"]) window[name] = () => null;
  window.confirm = () => false;
  window.prompt = () => null;
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"]) delete window[name];
  if (window === window.top && window.navigation) {
    window.navigation.addEventListener("navigate", (event) => {
      if (!event.hashChange && event.cancelable) event.preventDefault();
    });
  }
  HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException("no playing here", "NotAllowedError"));
  // Nothing that an earlier page stored may change this one.
  try {
    if (window === window.top) {
      window.localStorage.clear();
      window.sessionStorage.clear();
      for (const cookie of document.cookie.split("; ")) {
        if (cookie) document.cookie = `${cookie.split("=")[0]}=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/`;
      }
    }
  } catch (error) {
    // A frame without an origin has no storage.
  }
}
