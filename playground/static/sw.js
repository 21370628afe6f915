// Keeps the page usable offline: everything is fetched once, under a name made from its content;
// a new version is used by the next load only. Answers keep their headers, so the policy stays.
const LIST = __WARIFU_PRECACHE__;
const NAME = `warifu-${LIST.version}`;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(NAME);
    const addresses = LIST.files.map((f) => f.split("/").map(encodeURIComponent).join("/"));
    await cache.addAll(addresses.map((a) => new Request(a, { cache: "no-cache" })));
    await cache.add(new Request("./", { cache: "no-cache" }));
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("warifu-") && name !== NAME) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith((async () => {
    const cache = await caches.open(NAME);
    return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
  })());
});
