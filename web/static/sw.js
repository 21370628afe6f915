// Keeps the portal's own files, so that it opens without a network. Never an answer of the server:
// what is below /api, and everything that is not a file of the portal, goes to the network only.
// A new version is kept apart and waits until the person takes it.
const LIST = __WARIFU_PRECACHE__;
const NAME = `warifu-portal-${LIST.version}`;
const FILES = new Set(LIST.files.map((name) => `/${name}`));
const SCREENS = new Set(["", "key", "enrol", "home", "records", "history", "requests", "consents", "secondary", "emergency", "family", "show", "devices", "notice", "contacts", "report", "menu", "settings", "bye"]);

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(NAME);
    await cache.addAll([...FILES].filter((name) => name !== "/index.html").concat("/")
      .map((name) => new Request(name, { cache: "no-cache" })));
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("warifu-portal-") && name !== NAME) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const screen = request.mode === "navigate" && SCREENS.has(url.pathname.split("/")[1]);
  if (!screen && !FILES.has(url.pathname)) return;
  event.respondWith((async () => {
    const cache = await caches.open(NAME);
    return (await cache.match(screen ? "/" : url.pathname)) ?? fetch(request);
  })());
});
