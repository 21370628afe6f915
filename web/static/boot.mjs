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
let broken = false;
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
    broken = true;
    for (const call of open.values()) call.reject({ code: "INTERNAL" });
    open.clear();
  });
  worker.postMessage({ do: "init", module });
}

const ask = (what) => new Promise((resolve, reject) => {
  if (broken) throw { code: "INTERNAL" };
  calls += 1;
  open.set(calls, { resolve, reject });
  worker.postMessage({ ...what, id: calls });
});

// ---- What is kept ------------------------------------------------------------------------------
const PREFS = "warifu-prefs";
const LOG = "warifu-log";
const SESSION = "warifu-session";
const kept = (name) => { try { return localStorage.getItem(name) ?? ""; } catch { return ""; } };

/** The cookie is not for scripts: that there is a session is noted for as long as this window. */
const session = {
  get was() { try { return sessionStorage.getItem(SESSION) !== null; } catch { return false; } },
  is(open) {
    try {
      if (open) sessionStorage.setItem(SESSION, "");
      else sessionStorage.removeItem(SESSION);
    } catch { /* asked for again after the next load */ }
  },
};

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

// ---- Time: the server's, if this device is more off than a signature's time may be (5 s) ----------
let offset = 0;
const learn = (date) => {
  const server = Date.parse(date ?? "");
  if (!Number.isFinite(server)) return;
  const apart = server - Date.now();
  offset = Math.abs(apart) > 5_000 ? apart : 0;
};

/** Bytes come as base64url. */
async function content(response) {
  if (!response.headers.get("content-type")?.startsWith("application/octet-stream")) return response.text();
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

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
      const wait = response.headers.get("retry-after") ?? "";
      const after = /^\d{1,6}$/.test(wait) ? { after: Number(wait) } : {};
      if (path === "/session" || path === "/enrol") session.is(response.ok);
      emit({ type: "answer", tag, status: response.status, ...after }, await content(response));
    } catch {
      emit({ type: "answer", tag, status: 0 });
    }
  },
  "find-key": () => key(ask({ do: "find" }), "unread"),
  "make-key": ({ pass }) => {
    navigator.storage?.persist?.().catch(() => {});
    key(ask({ do: "make", pass }), "failed");
  },
  sign: async ({ tag, typ, claims, pass }) => {
    try {
      emit({ type: "signed", tag, token: await ask({ do: "sign", typ, claims, pass }) });
    } catch ({ code }) {
      emit(code === "PASS" ? { type: "pass-no" } : { type: "not-signed", tag, code });
    }
  },
  keep: ({ text }) => { try { localStorage.setItem(LOG, text); } catch { /* checked anew next time */ } },
  // Sealed by a key that cannot be read out; what cannot be kept is asked for again.
  seal: ({ name, text }) => { ask({ do: "seal", name, text }).catch(() => {}); },
  unseal: ({ names }) => ask({ do: "unseal", names }).then((text) => emit({ type: names === "offers" ? names : "shelf" }, text), () => {}),
  print: () => print(),
  save: ({ name, body }) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([body], { type: "application/json" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  },
  erase: async () => {
    try {
      await ask({ do: "erase" });
      for (const name of await globalThis.caches?.keys() ?? []) await caches.delete(name);
      for (const one of await navigator.serviceWorker?.getRegistrations() ?? []) await one.unregister();
      try { localStorage.clear(); sessionStorage.clear(); } catch { /* nothing was kept */ }
      // What the worker still remembers goes with it.
      worker.terminate();
      spawn();
    } catch {
      emit({ type: "not-erased" });
      return;
    }
    // The cookie is not for scripts: the server ends the session and takes it back.
    let closed = false;
    try {
      const headers = { "content-type": "application/json" };
      const response = await fetch("/api/session", {
        method: "DELETE", headers, credentials: "same-origin", cache: "no-store", redirect: "error", signal: AbortSignal.timeout(10_000),
      });
      closed = response.ok || response.status === 401;
    } catch { /* it ends by itself, which is told */ }
    windows?.postMessage("erased");
    emit({ type: "erased", closed });
  },
  reload: async () => {
    const one = await navigator.serviceWorker?.getRegistration?.();
    taking = true;
    if (one?.waiting) one.waiting.postMessage("take-over");
    else location.reload();
  },
};

/** Other windows of the portal: after erasing, none of them shows anything any more. */
const windows = globalThis.BroadcastChannel ? new BroadcastChannel("warifu") : undefined;
windows?.addEventListener("message", () => location.replace("/"));

/** A new version was taken here. In other windows the person says so there: nothing is lost on the way. */
let taking = false;

const key = (promise, otherwise) => promise.then((state) => emit({ type: "key", ...state }), () => emit({ type: "key", state: otherwise }));

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
emit({ type: "started", path: location.pathname, browser: navigator.language, origin: location.origin, keeps: await keeps(), log: kept(LOG), resume: session.was }, kept(PREFS));

addEventListener("popstate", () => emit({ type: "at", path: location.pathname }));
addEventListener("online", () => emit({ type: "online", on: true }));
addEventListener("offline", () => emit({ type: "online", on: false }));
if (!navigator.onLine) emit({ type: "online", on: false });
setInterval(() => emit({ type: "tick" }), 10_000);

if ("serviceWorker" in navigator) {
  const had = navigator.serviceWorker.controller;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (taking) location.reload();
    else if (had) emit({ type: "waiting" });
  });
  navigator.serviceWorker.register(policy.createScriptURL("/sw.js"), { updateViaCache: "none" })
    .then((one) => {
      const look = () => { if (one.waiting && navigator.serviceWorker.controller) emit({ type: "waiting" }); };
      look();
      one.addEventListener("updatefound", () => one.installing?.addEventListener("statechange", look));
    })
    .catch(() => {});
}
