// Waits for a page's load event and its fonts, and says what was loaded.
//
// argument: {waitMs}: the longest wait.
// returns JSON: {loaded, url, type, isPage, status, xmlError}: whether all came in time, where the page is, its MIME type and
//   whether it is HTML, the status of the answer (0 where it is not known), and whether it, or a frame of it, is XML with an error.
async ({ waitMs }) => {
  const pause = new Promise((done) => setTimeout(done, waitMs, false));
  const complete = new Promise((done) => {
    if (document.readyState === "complete") done();
    else window.addEventListener("load", done, { once: true });
  });
  const loaded = await Promise.race([pause, complete.then(() => document.fonts.ready).then(() => true)]);
  // What Chromium puts into a document whose XML it cannot parse.
  const isBroken = (target) => target !== null && target.contentType.endsWith("xml") && target.querySelector("parsererror") !== null;
  const frames = [...document.querySelectorAll("iframe, frame")].map((frame) => frame.contentDocument);
  return JSON.stringify({
    loaded,
    url: location.href,
    type: document.contentType,
    isPage: /\b(html|xhtml\+xml|xml)$/.test(document.contentType) && !(document.documentElement instanceof SVGElement),
    status: performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0,
    xmlError: [document, ...frames].some(isBroken),
  });
}
