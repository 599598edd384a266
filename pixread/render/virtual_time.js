// Runs in every document before its own scripts. Makes time and chance repeatable, and closes the ways out of the page.
//
// Time is virtual from the start and moves only when the renderer dispatches "pixread-clock" events: each of them runs the timers
// and animation frames of a stretch of time at once. Fades, counters and loading screens so reach their end in milliseconds,
// and always at the same moment, however busy the machine is.
(argument) => {
  const { epoch, seed } = argument;
  const RealDate = Date;
  const realNow = performance.now.bind(performance);
  // Twenty frames a second: animations reach their end as well, and pages that draw every frame cost a third.
  const FRAME_MS = 50;

  let virtual = 0; // milliseconds since the document began
  // Looking at the clock takes a moment, or a loop that waits for the time to pass would never end.
  const LOOK_MS = 0.005;
  const now = () => (virtual += LOOK_MS);

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

  const timers = new Map(); // id -> {due, period, run}
  let nextId = 1;
  const fire = (id) => {
    const timer = timers.get(id);
    if (timer.period === null) timers.delete(id);
    else timer.due = Math.max(virtual, timer.due) + timer.period;
    timer.run();
  };
  const add = (run, delay, period) => {
    const wait = Math.max(1, Number(delay) || 0);
    timers.set(nextId, { due: virtual + wait, period: period ? wait : null, run });
    return nextId++;
  };
  const callable = (handler, args) =>
    typeof handler === "function" ? () => handler.apply(window, args) : () => (0, eval)(String(handler));
  const clear = (id) => {
    timers.delete(id);
  };
  window.setTimeout = (handler, delay, ...args) => add(callable(handler, args), delay, false);
  window.setInterval = (handler, delay, ...args) => add(callable(handler, args), delay, true);
  window.clearTimeout = clear;
  window.clearInterval = clear;
  window.requestAnimationFrame = (handler) => add(() => handler(virtual), FRAME_MS, false);
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
    if (timers.size === 0) event.preventDefault(); // nothing is left to wait for
  });

  // Answers that scripts wait for, so that nobody looks at the page before they have come.
  let numPending = 0;
  const tracked = (promise) => {
    numPending++;
    const done = () => asked--;
    promise.then(done, done);
    return promise;
  };
  const realFetch = window.fetch;
  window.fetch = (...args) => tracked(realFetch(...args));
  for (const name of ["arrayBuffer", "blob", "bytes", "formData", "json", "text"]) {
    const read = Response.prototype[name];
    if (!read) continue;
    Response.prototype[name] = function () {
      return tracked(read.call(this));
    };
  }
  // So does what the browser keeps for a page: it comes from another process, after some real time.
  const STORES = {
    CacheStorage: ["open", "match", "has", "keys", "delete"],
    Cache: ["match", "matchAll", "add", "addAll", "put", "keys", "delete"],
    CookieStore: ["get", "getAll", "set", "delete"],
    StorageManager: ["getDirectory", "estimate", "persisted"],
    FileSystemDirectoryHandle: ["getFileHandle", "getDirectoryHandle", "removeEntry"],
    FileSystemFileHandle: ["getFile", "createWritable"],
    IDBFactory: ["databases"],
  };
  for (const [store, methods] of Object.entries(STORES)) {
    const target = window[store]?.prototype;
    for (const name of methods.filter((method) => target?.[method])) {
      const real = target[name];
      target[name] = function (...args) {
        return tracked(real.apply(this, args));
      };
    }
  }
  const trackedUntil = (target, events) => {
    tracked(new Promise((done) => events.forEach((name) => target.addEventListener(name, done, { once: true }))));
    return target;
  };
  const realOpen = IDBFactory.prototype.open;
  IDBFactory.prototype.open = function (...args) {
    return trackedUntil(realOpen.apply(this, args), ["success", "error", "blocked"]);
  };
  const realTransaction = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...args) {
    return trackedUntil(realTransaction.apply(this, args), ["complete", "abort"]);
  };
  const realSend = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...args) {
    let done;
    tracked(new Promise((end) => (done = end)));
    this.addEventListener("loadend", done, { once: true });
    try {
      return realSend.apply(this, args);
    } catch (error) {
      done();
      throw error;
    } finally {
      if (this.readyState === XMLHttpRequest.DONE) done(); // one that does not let its page go on
    }
  };
  document.addEventListener("pixread-is-fetching", (event) => {
    if (numPending > 0) event.preventDefault();
  });

  // Whether anything would come of scrolling the page through.
  let hasScrollListener = false;
  const SCROLLING = new Set(["scroll", "scrollend", "resize", "wheel", "mousewheel", "touchmove"]);
  const realListen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, ...rest) {
    if (SCROLLING.has(type)) hasScrollListener = true;
    return realListen.call(this, type, ...rest);
  };
  const realObserve = IntersectionObserver.prototype.observe;
  IntersectionObserver.prototype.observe = function (target) {
    hasScrollListener = true;
    return realObserve.call(this, target);
  };
  document.addEventListener("pixread-has-scroll-listener", (event) => {
    if (hasScrollListener || window.onscroll || window.onresize || document.onscroll) event.preventDefault();
  });

  // The viewport grows to the page's height before the picture is taken; scripts that fit things to the window would
  // stretch the page with it. Registered first, this listener is the only one that hears of it. Others do hear of those
  // that settle.js raises, with a window as high as ever.
  realListen.call(window, "resize", (event) => event.isTrusted && event.stopImmediatePropagation(), true);

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
  if (window.ServiceWorkerContainer) {
    // A worker starts when it likes, and what it then answers depends on who was first.
    ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException("no workers here", "SecurityError"));
  }
  HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException("no playing here", "NotAllowedError"));

  // What would tell a browser with windows from one without, and one network from another.
  delete window.chrome;
  const fixed = (target, values) => {
    for (const [name, get] of Object.entries(values)) Object.defineProperty(target, name, { configurable: true, get });
  };
  fixed(window, { outerWidth: () => window.innerWidth, outerHeight: () => window.innerHeight });
  fixed(window, { screenX: () => 0, screenY: () => 0, screenLeft: () => 0, screenTop: () => 0 });
  if (window.NetworkInformation) {
    fixed(NetworkInformation.prototype, { effectiveType: () => "4g", rtt: () => 0, downlink: () => 10, saveData: () => false });
  }
}
