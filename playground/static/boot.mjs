// Starts the page: counts what is sent, loads the engine and hands it to the worker, keeps the
// opened files so that a fresh worker can get them again. The user interface is shell_bg.wasm.
import init, { mount } from "./shell.js";

const here = (name) => new URL(name, import.meta.url);

// ---- What leaves this page. Wrapped before anything else runs. --------------------------------
const network = { sent: 0, requests: 0, violations: 0, since: Infinity };
const size = (body) => {
  if (body === undefined || body === null) return 0;
  if (typeof body === "string") return new TextEncoder().encode(body).length;
  if (body instanceof Blob) return body.size;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  return new TextEncoder().encode(String(body)).length;
};
const count = (body) => {
  if (performance.now() < network.since) return;
  network.sent += size(body);
  emit({ type: "network" });
};
const realFetch = globalThis.fetch.bind(globalThis);
globalThis.fetch = (input, options) => { count(options?.body); return realFetch(input, options); };
const realSend = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function send(body) { count(body); return realSend.call(this, body); };
const realBeacon = navigator.sendBeacon?.bind(navigator);
if (realBeacon) navigator.sendBeacon = (url, body) => { count(body); return realBeacon(url, body); };
addEventListener("securitypolicyviolation", () => { network.violations += 1; emit({ type: "network" }); });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.startTime >= network.since) network.requests += 1;
  if (network.since !== Infinity) emit({ type: "network" });
}).observe({ type: "resource", buffered: true });
const firstFile = () => { if (network.since === Infinity) network.since = performance.now(); };

// ---- Trusted Types: the only script addresses there are. --------------------------------------
const scripts = new Set(["worker.mjs", "sw.js"]);
const policy = (globalThis.trustedTypes ?? { createPolicy: (_, rules) => rules }).createPolicy("warifu", {
  createScriptURL: (name) => {
    if (!scripts.has(name)) throw new TypeError("unknown script");
    return here(name).href;
  },
});

// ---- Worker -----------------------------------------------------------------------------------
let listener = () => {};
/** Events reach the page after what it is doing, never within it. */
const emit = (event) => queueMicrotask(() => listener(event));
let module;
let worker;
let version = "";
/** What is open: `[{path, file?|bytes?}]`. */
let sources = [];
/** Packages of FHIR, compiled, for a worker that takes the place of another. */
let packages = [];

function spawn() {
  worker = new Worker(policy.createScriptURL("worker.mjs"), { type: "module", name: "warifu" });
  const mine = worker;
  worker.addEventListener("message", ({ data }) => {
    if (mine !== worker) return;
    if (data.type === "ready") version = data.version;
    if (data.type === "packages") { packages = data.list; return; }
    if (data.type === "need") { handModule(mine, data.name); return; }
    if (data.blob) { save(data.name, data.blob); return; }
    if (data.type === "sent") {
      network.sent += data.bytes;
      emit({ type: "network" });
      return;
    }
    emit(data);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    if (mine === worker) emit({ type: "failed", id: 0, code: "internal" });
  });
  if (module) worker.postMessage({ type: "init", module });
  if (packages.length > 0) worker.postMessage({ type: "packages", id: 0, lang: "ja", list: packages });
}

/** A module or part that this worker needs only now: the reader of packed storages, the pages of rules … */
async function handModule(target, name) {
  const module = await WebAssembly.compileStreaming(realFetch(here(`${name}_bg.wasm`))).catch(() => undefined);
  target.postMessage({ type: "module", name, module });
}

async function loadEngine() {
  const response = await realFetch(here("convert_bg.wasm"));
  if (!response.ok) throw new Error(`convert_bg.wasm ${response.status}`);
  const total = response.headers.get("content-encoding") ? 0 : Number(response.headers.get("content-length") ?? 0);
  let done = 0;
  const counted = response.body.pipeThrough(new TransformStream({
    transform(chunk, controller) {
      done += chunk.length;
      emit({ type: "loading", done, total });
      controller.enqueue(chunk);
    },
  }));
  module = await WebAssembly.compileStreaming(new Response(counted, { headers: { "content-type": "application/wasm" } }));
}

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.split("/").pop();
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  emit({ type: "saved", name: link.download });
}

// ---- Input ------------------------------------------------------------------------------------
const PIECE = 2000;
/** Those of some files or entries that are packages of FHIR: archives, or compiled. Large folders are not looked through. */
const packagesIn = (files) => (files.length > 1000 ? [] : Array.from(files).filter(({ name }) => /\.(tgz|wfp)$/i.test(name)));
const pause = () => new Promise((resolve) => { setTimeout(resolve, 0); });
let opening = 0;

/** Hands the files to the worker in pieces. `File` handles are read there, not here. */
async function hand(id, list) {
  firstFile();
  opening = id;
  sources = list;
  worker.postMessage({ type: "forget" });
  const target = worker;
  for (let from = 0; from < list.length || from === 0; from += PIECE) {
    if (opening !== id || target !== worker) return;
    const piece = list.slice(from, from + PIECE);
    worker.postMessage({ type: "open", id, list: piece, last: from + PIECE >= list.length });
    emit({ type: "listing", id, done: Math.min(from + PIECE, list.length), total: list.length });
    if (from + PIECE < list.length) await pause();
  }
}

async function fromFiles(id, chosen) {
  // The list of an input is emptied when that is cleared: take its files first.
  const aside = new Set(packagesIn(chosen));
  const files = Array.from(chosen).filter((file) => !aside.has(file));
  const list = new Array(files.length);
  let until = performance.now() + 20;
  for (let i = 0; i < files.length; i += 1) {
    const file = files[i];
    list[i] = { path: file.webkitRelativePath || file.name, file };
    if (performance.now() > until) { await pause(); until = performance.now() + 20; }
  }
  await hand(id, list);
}

/** Walks dropped folders. The entries must be taken before the event ends. */
async function fromDrop(id, transfer) {
  const dropped = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const aside = new Set(packagesIn(dropped));
  const entries = dropped.filter((entry) => !aside.has(entry));
  if (entries.length === 0 && transfer.files.length > 0) {
    await fromFiles(id, transfer.files);
    return;
  }
  if (entries.length === 0) {
    const text = transfer.getData("text/plain");
    if (text) await hand(id, [{ path: "dropped.txt", bytes: new TextEncoder().encode(text) }]);
    return;
  }
  const list = [];
  const todo = entries.reverse();
  while (todo.length > 0) {
    const entry = todo.pop();
    const path = entry.fullPath.replace(/^\//, "");
    if (entry.isFile) {
      list.push({ path, file: await new Promise((resolve, reject) => { entry.file(resolve, reject); }) });
      if (list.length % PIECE === 0) emit({ type: "listing", id, done: list.length, total: 0 });
    } else {
      const reader = entry.createReader();
      const inside = [];
      for (;;) {
        const batch = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
        if (batch.length === 0) break;
        inside.push(...batch);
      }
      inside.sort((a, b) => (a.name < b.name ? 1 : -1));
      todo.push(...inside);
    }
  }
  await hand(id, list);
}

async function fromExample(id, names) {
  const list = await Promise.all(names.map(async (path) => {
    const address = path.split("/").map(encodeURIComponent).join("/");
    const response = await fetch(here(`examples/${address}`));
    if (!response.ok) throw new Error("example");
    return { path, bytes: new Uint8Array(await response.arrayBuffer()) };
  }));
  await hand(id, list);
}

/** Answers a question of the page: bytes, or none when it failed. */
const answer = (id, promise) => promise.then((bytes) => emit({ type: "answer", id, bytes }), () => emit({ type: "answer", id }));

const guarded = (id, promise) => promise.catch(() => emit({ type: "failed", id, code: "read" }));

// ---- Share ------------------------------------------------------------------------------------
async function through(bytes, stream, limit) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) { await reader.cancel(); throw new RangeError("too large"); }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

globalThis.warifuHost = {
  listen: (callback) => { listener = callback; },
  /** Sends a request to the worker; `json` holds its other members. */
  send: (type, id, json) => worker.postMessage({ ...JSON.parse(json), type, id }),
  /** Ends the worker and starts a fresh one; the opened files are handed over again. */
  restart: (id) => {
    worker.terminate();
    spawn();
    if (sources.length > 0) guarded(id, hand(id, sources));
  },
  openFiles: (id, files) => guarded(id, fromFiles(id, files)),
  openDrop: (id, transfer) => guarded(id, fromDrop(id, transfer)),
  openBytes: (id, path, bytes) => guarded(id, hand(id, [{ path, bytes }])),
  packagesIn,
  addPackages: (id, lang, files) => worker.postMessage({ type: "packages", id, lang, list: Array.from(files, (file) => ({ path: file.name, file })) }),
  openExample: (id, json) => guarded(id, fromExample(id, JSON.parse(json))),
  examples: (id) => answer(id, realFetch(here("examples/index.json")).then(async (r) => new Uint8Array(await r.arrayBuffer()))),
  deflate: (id, bytes) => answer(id, through(bytes, new CompressionStream("deflate-raw"), 1 << 26)),
  inflate: (id, bytes) => answer(id, through(bytes, new DecompressionStream("deflate-raw"), 1 << 20)),
  copy: (id, text) => answer(id, navigator.clipboard.writeText(text).then(() => new Uint8Array())),
  network: () => JSON.stringify({ sent: network.sent, requests: network.requests, violations: network.violations }),
  version: () => version,
};

// ---- Start ------------------------------------------------------------------------------------
await init({ module_or_path: here("shell_bg.wasm") });
mount();
try {
  await loadEngine();
  spawn();
} catch {
  emit({ type: "failed", id: 0, code: "load" });
}

/** Tells whether the validation of FHIR, too, is kept for use without a connection. */
async function keptNow() {
  const parts = await Promise.all(["validate.js", "validate-work.mjs", "validate_bg.wasm"].map((name) => caches.match(here(name))));
  emit({ type: "offline", whole: parts.every(Boolean) });
}

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register(policy.createScriptURL("sw.js"), { updateViaCache: "none" })
    .then(() => navigator.serviceWorker.ready)
    .then(keptNow)
    .catch(() => {});
  // The service worker says when it has kept a part that is large and comes late.
  navigator.serviceWorker.addEventListener("message", () => { keptNow().catch(() => {}); });
  navigator.serviceWorker.startMessages();
}
