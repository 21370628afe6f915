// Keeps the page usable offline: everything is fetched once, under a name made from its content;
// a new version is used by the next load only. Answers keep their headers, so the policy stays.
// What is listed as `later` is large and kept once it was needed.
const LIST = __WARIFU_PRECACHE__;
const NAME = `warifu-playground-${LIST.version}`;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(NAME);
    const add = (names) => cache.addAll(names
      .map((name) => new Request(name.split("/").map(encodeURIComponent).join("/"), { cache: "no-cache" })));
    await add([...LIST.files, "examples/index.json"]);
    await cache.add(new Request("./", { cache: "no-cache" }));
    const index = await (await cache.match("examples/index.json")).json();
    await add(index.map((example) => `examples/${example.path}`));
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("warifu-playground-") && name !== NAME) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith((async () => {
    const cache = await caches.open(NAME);
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    const answer = await fetch(request);
    if (answer.ok && LIST.later.some((name) => request.url === new URL(name, self.location).href)) {
      await cache.put(request, answer.clone());
      for (const client of await self.clients.matchAll()) client.postMessage("kept");
    }
    return answer;
  })());
});
