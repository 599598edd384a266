// Waits for a page's load event and its fonts, and says what was loaded.
//
// argument: {waitMs}: the longest wait.
// returns JSON: {loaded, url, type, isPage, status, xmlError, frameXmlError}: whether all came in time, where the page is, its MIME
//   type and whether it is HTML, the status of the answer (0 where it is not known), and whether it, or a frame of it, is XML with
//   an error.
async ({ waitMs }) => {
  const pause = new Promise((done) => setTimeout(done, waitMs, false));
  const complete = new Promise((done) => {
    if (document.readyState === "complete") done();
    else window.addEventListener("load", done, { once: true });
  });
  const loaded = await Promise.race([pause, complete.then(() => document.fonts.ready).then(() => true)]);
  // What Chromium puts into a document whose XML it cannot parse, and what it shows of other XML.
  const isBroken = (target) => target !== null && target.contentType.endsWith("xml") && target.querySelector("parsererror") !== null;
  const isHtml = document.contentType.endsWith("html") || document.contentType === "application/xhtml+xml";
  const isXmlPage = document.contentType.endsWith("/xml") && !document.getElementById("webkit-xml-viewer-source-xml");
  const root = document.documentElement;
  const frames = [...document.querySelectorAll("iframe, frame")].map((frame) => frame.contentDocument);
  return JSON.stringify({
    loaded,
    url: location.href,
    type: document.contentType,
    isPage: isHtml || (isXmlPage && (root === null || root.namespaceURI === "http://www.w3.org/1999/xhtml")),
    status: performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0,
    xmlError: isBroken(document),
    frameXmlError: frames.some(isBroken),
  });
}
