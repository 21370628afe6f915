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

async function store(mode) {
  const open = indexedDB.open("warifu", 1);
  open.onupgradeneeded = () => { open.result.createObjectStore("keys"); };
  const db = await asked(open);
  return { db, keys: db.transaction("keys", mode).objectStore("keys") };
}

async function load() {
  if (fleeting) return fleeting;
  try {
    const { db, keys } = await store("readonly");
    const found = await asked(keys.get(ME));
    db.close();
    return found;
  } catch {
    return undefined;
  }
}

async function keep(record) {
  try {
    const { db, keys } = await store("readwrite");
    await asked(keys.put(record, ME));
    db.close();
  } catch {
    fleeting = record;
  }
}

const told = (record) => (record ? { state: "here", x: record.x, sealed: record.kind === "sealed" } : { state: "none" });

async function make(pass) {
  const there = await load();
  if (there) return told(there);
  if (pass === null) {
    let pair;
    try {
      pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    } catch {
      return { state: "needs-pass" };
    }
    const x = toBase64url(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
    const record = { kind: "webcrypto", x, key: pair.privateKey };
    await keep(record);
    return told(record);
  }
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const x = publicOf(seed.slice());
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const wrapped = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await wrapper(pass, salt), seed);
  seed.fill(0);
  const record = { kind: "sealed", x, salt, iv, wrapped };
  await keep(record);
  return told(record);
}

async function wrapper(pass, salt) {
  const bytes = wrappingKey(pass, salt);
  const key = await crypto.subtle.importKey("raw", bytes, { name: "AES-GCM" }, false, ["encrypt", "decrypt"]);
  bytes.fill(0);
  return key;
}

async function sign({ typ, claims, pass }) {
  const record = await load();
  if (!record) throw { code: "KEY_UNKNOWN" };
  if (record.kind === "webcrypto") {
    const input = signingInput(typ, claims, record.x);
    const signature = await crypto.subtle.sign({ name: "Ed25519" }, record.key, input);
    return joinToken(typ, claims, record.x, new Uint8Array(signature));
  }
  let seed;
  try {
    const key = await wrapper(pass ?? "", record.salt);
    seed = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: record.iv }, key, record.wrapped));
  } catch {
    throw { code: "PASS" };
  }
  const token = signWithSeed(typ, claims, seed.slice());
  seed.fill(0);
  return token;
}

async function erase() {
  fleeting = undefined;
  await asked(indexedDB.deleteDatabase("warifu")).catch(() => {});
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
    const acts = { find: async () => told(await load()), make: () => make(data.pass), sign: () => sign(data), erase };
    postMessage({ id: data.id, value: await acts[data.do]() });
  } catch (error) {
    postMessage({ id: data.id, code: typeof error?.code === "string" ? error.code : "INTERNAL" });
  }
});
