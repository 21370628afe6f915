// Starts the portal: compiles the module once for page and worker, carries what the model wants
// done, and says what happened. Decisions are the module's.
import init, { mount } from "./portal.js";

// ---- Trusted Types: the only script addresses there are; nothing here makes HTML. --------------
const scripts = new Set(["/worker.mjs", "/sw.js"]);
const policy = (globalThis.trustedTypes ?? { createPolicy: (_, rules) => rules }).createPolicy("warifu", {
  createScriptURL: (name) => {
    if (!scripts.has(name)) throw new TypeError("unknown script");
    return name;
  },
});

let listener = () => {};
/** Events reach the model after what it is doing, never within it. */
const emit = (event, body = "") => queueMicrotask(() => listener(JSON.stringify(event), body));

// ---- The worker with the key -------------------------------------------------------------------
let module;
let worker;
let calls = 0;
const open = new Map();

function spawn() {
  worker = new Worker(policy.createScriptURL("/worker.mjs"), { type: "module", name: "warifu-key" });
  worker.addEventListener("message", ({ data }) => {
    const call = open.get(data.id);
    open.delete(data.id);
    if (data.code) call?.reject(data);
    else call?.resolve(data.value);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    for (const call of open.values()) call.reject({ code: "INTERNAL" });
    open.clear();
  });
  worker.postMessage({ do: "init", module });
}

const ask = (what) => new Promise((resolve, reject) => {
  calls += 1;
  open.set(calls, { resolve, reject });
  worker.postMessage({ ...what, id: calls });
});

// ---- What is kept ------------------------------------------------------------------------------
const PREFS = "warifu-prefs";
const kept = () => { try { return localStorage.getItem(PREFS) ?? ""; } catch { return ""; } };

async function keeps() {
  try {
    const request = indexedDB.open("warifu-probe");
    await new Promise((resolve, reject) => { request.onsuccess = resolve; request.onerror = reject; });
    request.result.close();
    indexedDB.deleteDatabase("warifu-probe");
    return true;
  } catch {
    return false;
  }
}

// ---- Time: the server's, if this device is more than a minute off -------------------------------
let offset = 0;
const learn = (date) => {
  const server = Date.parse(date ?? "");
  if (!Number.isFinite(server)) return;
  const apart = server - Date.now();
  offset = Math.abs(apart) > 60_000 ? apart : 0;
};

// ---- What the model wants done -----------------------------------------------------------------
const acts = {
  path: ({ path }) => { if (path !== location.pathname) history.pushState(null, "", path); },
  focus: ({ what }) => {
    // After the frame in which it is painted.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const found = document.querySelector(what);
      found?.focus({ preventScroll: what === "h1" });
      if (what === "h1") scrollTo(0, 0);
    }));
  },
  prefs: ({ prefs, lang, size, theme }) => {
    const root = document.documentElement;
    root.lang = lang;
    root.dataset.theme = theme;
    root.dataset.size = size;
    try { localStorage.setItem(PREFS, JSON.stringify(prefs)); } catch { /* shown all the same */ }
  },
  http: async ({ tag, method, path, body }) => {
    const headers = { accept: "application/json" };
    if (body !== null) headers["content-type"] = "application/json";
    try {
      const response = await fetch(`/api${path}`, {
        method, headers, body: body ?? undefined, credentials: "same-origin", cache: "no-store", redirect: "error",
        signal: AbortSignal.timeout(10_000),
      });
      learn(response.headers.get("date"));
      emit({ type: "answer", tag, status: response.status }, await response.text());
    } catch {
      emit({ type: "answer", tag, status: 0 });
    }
  },
  "find-key": () => key(ask({ do: "find" })),
  "make-key": ({ pass }) => {
    navigator.storage?.persist?.().catch(() => {});
    key(ask({ do: "make", pass }));
  },
  sign: async ({ tag, typ, claims, pass }) => {
    try {
      emit({ type: "signed", tag, token: await ask({ do: "sign", typ, claims, pass }) });
    } catch ({ code }) {
      emit(code === "PASS" ? { type: "pass-no" } : { type: "not-signed", tag, code });
    }
  },
  print: () => print(),
  save: ({ name, body }) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([body], { type: "application/json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  },
  erase: async () => {
    await ask({ do: "erase" }).catch(() => {});
    worker.terminate();
    for (const name of await caches?.keys?.() ?? []) await caches.delete(name);
    for (const one of await navigator.serviceWorker?.getRegistrations?.() ?? []) await one.unregister();
    try { localStorage.clear(); } catch { /* nothing was kept */ }
    spawn();
    emit({ type: "erased" });
  },
  reload: async () => {
    const one = await navigator.serviceWorker?.getRegistration?.();
    one?.waiting?.postMessage("take-over");
  },
};

const key = (promise) => promise.then((state) => emit({ type: "key", ...state }), () => emit({ type: "key", state: "failed" }));

globalThis.warifuHost = {
  listen: (callback) => { listener = callback; },
  run: (json) => { const what = JSON.parse(json); acts[what.do](what); },
  now: () => Math.floor((Date.now() + offset) / 1000),
  random: () => crypto.getRandomValues(new Uint8Array(32)),
};

// ---- Start -------------------------------------------------------------------------------------
module = await WebAssembly.compileStreaming(fetch(new URL("portal_bg.wasm", import.meta.url)));
await init({ module_or_path: module });
spawn();
mount();
emit({ type: "started", path: location.pathname, browser: navigator.language, origin: location.origin, keeps: await keeps() }, kept());

addEventListener("popstate", () => emit({ type: "at", path: location.pathname }));
addEventListener("online", () => emit({ type: "online", on: true }));
addEventListener("offline", () => emit({ type: "online", on: false }));
if (!navigator.onLine) emit({ type: "online", on: false });
setInterval(() => emit({ type: "tick" }), 10_000);

if ("serviceWorker" in navigator) {
  const had = navigator.serviceWorker.controller;
  navigator.serviceWorker.addEventListener("controllerchange", () => { if (had) location.reload(); });
  navigator.serviceWorker.register(policy.createScriptURL("/sw.js"), { updateViaCache: "none" })
    .then((one) => {
      const look = () => { if (one.waiting && navigator.serviceWorker.controller) emit({ type: "waiting" }); };
      look();
      one.addEventListener("updatefound", () => one.installing?.addEventListener("statechange", look));
    })
    .catch(() => {});
}
