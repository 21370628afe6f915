// Holds the person's key. It is made here, kept as an object that cannot be read out (or, where the
// browser has no Ed25519, as a seed under a passphrase), and signs nothing but tokens whose bytes
// the module made here from a type and claims. This worker has no network (connect-src 'none').
import init, { joinToken, publicOf, signWithSeed, signingInput, toBase64url, wrappingKey } from "./portal.js";

const ME = "me";
/** Where nothing is kept (private windows of some browsers) the key lives as long as this worker. */
let fleeting;

const asked = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Where the browser keeps nothing, nothing was kept; that it cannot be read now is something else. */
const KEEPS_NOTHING = new Set(["InvalidStateError", "SecurityError"]);

const STORES = ["keys", "shelf"];

/** Runs `act` on a store; what it gives counts once the transaction is through. */
async function within(store, mode, act) {
  const open = indexedDB.open("warifu", 2);
  open.onupgradeneeded = () => {
    for (const name of STORES) if (!open.result.objectStoreNames.contains(name)) open.result.createObjectStore(name);
  };
  const db = await asked(open);
  try {
    const through = db.transaction(store, mode);
    const done = new Promise((resolve, reject) => {
      through.oncomplete = resolve;
      through.onabort = () => reject(through.error ?? new DOMException("", "AbortError"));
    });
    const result = asked(act(through.objectStore(store)));
    const [value] = await Promise.all([result, done]);
    return value;
  } finally {
    db.close();
  }
}

const withKeys = (mode, act) => within("keys", mode, act);

/** The key that is kept; throws where it cannot be told whether there is one. */
async function load() {
  if (fleeting) return fleeting;
  try {
    return await withKeys("readonly", (keys) => keys.get(ME));
  } catch (error) {
    if (KEEPS_NOTHING.has(error?.name)) return undefined;
    throw { code: "UNREAD" };
  }
}

/** Keeps a new key beside none: what another window made meanwhile stays. */
async function keep(record) {
  try {
    await withKeys("readwrite", (keys) => keys.add(record, ME));
    return record;
  } catch (error) {
    if (error?.name === "ConstraintError") return load();
    fleeting = record;
    return record;
  }
}

const told = (record) => (record
  ? { state: "here", x: record.x, sealed: record.kind === "sealed", fleeting: record === fleeting }
  : { state: "none" });

async function find() {
  try {
    return told(await load());
  } catch {
    return { state: "unread" };
  }
}

async function make(pass) {
  let there;
  try {
    there = await load();
  } catch {
    return { state: "unread" };
  }
  if (there) return told(there);
  if (pass === null) {
    let pair;
    try {
      pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    } catch {
      return { state: "needs-pass" };
    }
    const x = toBase64url(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
    return told(await keep({ kind: "webcrypto", x, key: pair.privateKey }));
  }
  const seed = crypto.getRandomValues(new Uint8Array(32));
  try {
    const x = publicOf(seed);
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const wrapped = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await wrapper(pass, salt), seed);
    return told(await keep({ kind: "sealed", x, salt, iv, wrapped }));
  } finally {
    seed.fill(0);
  }
}

async function wrapper(pass, salt) {
  const bytes = wrappingKey(pass, salt);
  try {
    return await crypto.subtle.importKey("raw", bytes, { name: "AES-GCM" }, false, ["encrypt", "decrypt"]);
  } finally {
    bytes.fill(0);
  }
}

async function sign({ typ, claims, pass }) {
  const record = await load();
  if (!record) throw { code: "KEY_UNKNOWN" };
  if (record.kind === "webcrypto") {
    const input = signingInput(typ, claims, record.x);
    const signature = await crypto.subtle.sign({ name: "Ed25519" }, record.key, input);
    return joinToken(typ, claims, record.x, new Uint8Array(signature));
  }
  const key = await wrapper(pass ?? "", record.salt);
  let seed;
  try {
    seed = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: record.iv }, key, record.wrapped));
  } catch {
    // Only here a passphrase is another one.
    throw { code: "PASS" };
  }
  try {
    return signWithSeed(typ, claims, seed);
  } finally {
    seed.fill(0);
  }
}

/** The key that seals what is kept for offline use; it cannot be read out either. */
async function sealer(make) {
  const known = await within("shelf", "readonly", (shelf) => shelf.get("key"));
  if (known || !make) return known;
  const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  try {
    await within("shelf", "readwrite", (shelf) => shelf.add(fresh, "key"));
    return fresh;
  } catch {
    // Another window was first.
    return within("shelf", "readonly", (shelf) => shelf.get("key"));
  }
}

async function seal({ name, text }) {
  if (text === "") {
    await within("shelf", "readwrite", (shelf) => shelf.delete(name));
    return {};
  }
  const key = await sealer(true);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(text));
  await within("shelf", "readwrite", (shelf) => shelf.put({ iv, sealed }, name));
  return {};
}

async function unseal({ names }) {
  const key = await sealer(false);
  const opened = async (name) => {
    const kept = await within("shelf", "readonly", (shelf) => shelf.get(name));
    if (!key || !kept) return "";
    return new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.iv }, key, kept.sealed));
  };
  return (await Promise.all(names.split(" ").map(opened))).join("\n");
}

async function erase() {
  try {
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase("warifu");
      request.onsuccess = resolve;
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new DOMException("", "AbortError"));
    });
  } catch (error) {
    if (!KEEPS_NOTHING.has(error?.name)) throw error;
  }
  fleeting = undefined;
  return {};
}

let ready;
addEventListener("message", async ({ data }) => {
  if (data.do === "init") {
    ready = init({ module_or_path: data.module });
    return;
  }
  try {
    await ready;
    const acts = { find, make: () => make(data.pass), sign: () => sign(data), seal: () => seal(data), unseal: () => unseal(data), erase };
    postMessage({ id: data.id, value: await acts[data.do]() });
  } catch (error) {
    postMessage({ id: data.id, code: typeof error?.code === "string" ? error.code : "INTERNAL" });
  }
});
