// The code that sees data. Its own response carries `connect-src 'none'`, so it cannot connect;
// the compiled engine is handed in by the page.
//
// in:  init module open run node trace fix export validate packages cancel probe rule forget
// out: ready need progress rows counts packages result failed done sent
//
// `rules` of a request is a profile of the check, or "off". The check's module comes with the first.
import { addPart, Engine, initSync, isDocument, listStorage, nameFields, sniff, version } from "./convert.js";

const MIB = 1 << 20;
const MAX_FILE = 64 * MIB;
const CHUNK = 4000;
const encoder = new TextEncoder();
const LF = new Uint8Array([10]);
/** What findings of the output give as their file. */
const OUTPUT = "→ FHIR";

/** Longest archive that is held: reading each entry from its Blob takes longer than converting it. */
const MAX_HELD = 64 * MIB;
/** How many files are read at once: each waits long and works little. */
const READ_AHEAD = 32;
/** Codes of what is not read, as the command line and the npm package have them. */
const CODES = {
  "too-large": "SSM111", expansion: "SSM111", "unsafe-path": "SSM110", link: "SSM147", "special-file": "SSM147",
  "nested-archive": "SSM146", zstd: "SSM129", gzip: "SSM129",
};
/** Content of a file that cannot be read, as the engine knows it. */
const UNREAD = encoder.encode("\0unread\0");
/** Names that may be those of archives. */
const ARCHIVE = /\.(?:zip|tar|t?gz|t?zst)$/i;

/** Files by id: `{path, file | bytes | zip, refused?}`, `zip` being `{archive, blob, index}`, `refused` why it is not read. */
let files = [];
/** Patient and state of each file, by path; `patient` → files in order. */
let places = new Map();
let patients = new Map();
/** The order of the list. */
let order = [];
/** Whether files can be listed before all are there: no archive among them. */
let mayList = true;
/** Counts what was opened. */
let opened = 0;
const cancelled = new Set();

class Cancelled extends Error {}
/** A file that is not read, and why. */
class Refused extends Error {
  constructor(path, reason) {
    super(path);
    this.reason = reason;
  }
}

const post = (message, transfer = []) => postMessage(message, transfer);
const pack = (value) => encoder.encode(JSON.stringify(value));

/** Lets messages in: timers and file reads are tasks, promises alone are not. */
const breathe = (() => {
  const channel = new MessageChannel();
  let wake = [];
  channel.port1.onmessage = () => { const all = wake; wake = []; for (const w of all) w(); };
  return () => new Promise((resolve) => { wake.push(resolve); channel.port2.postMessage(0); });
})();

/** Says how far a job is, and lets messages in, ten times a second; `before` is called first. */
function pacer(id, total, before = () => {}) {
  let last = performance.now();
  return async (done, bytes = 0) => {
    if (performance.now() - last <= 100) return;
    last = performance.now();
    before();
    post({ type: "progress", id, done, total, bytes });
    await breathe();
  };
}

const check = (id) => { if (cancelled.has(id)) throw new Cancelled(); };

/** Reads a file, looking at cancel every MiB. */
async function read(id, entry) {
  if (entry.refused) throw new Refused(entry.path, entry.refused);
  if (entry.bytes) return entry.bytes;
  if (entry.zip) return unpack(entry);
  const { file } = entry;
  if (file.size > MAX_FILE) throw new Refused(entry.path, "too-large");
  if (file.size <= MIB) return new Uint8Array(await file.arrayBuffer());
  const out = new Uint8Array(file.size);
  for (let at = 0; at < file.size; at += MIB) {
    check(id);
    out.set(new Uint8Array(await file.slice(at, at + MIB).arrayBuffer()), at);
  }
  return out;
}

/** Bytes of a Blob, or of an archive that is held. */
const slice = async (blob, [start, end]) =>
  blob instanceof Uint8Array ? blob.subarray(start, end) : new Uint8Array(await blob.slice(start, end).arrayBuffer());

/** Modules and parts that the page hands in when they are needed: most visits open no archive. */
const later = new Map();
const came = new Map();
/** A part of the converter has no glue: it joins the instance. */
const part = (name, then = () => {}) => ({ initSync: ({ module }) => { addPart(name, module); then(); } });
const glues = {
  unpack: () => import("./unpack.js"), rules: () => import("./rules.js"), check: () => import("./check-work.mjs"),
  validate: () => import("./validate-work.mjs"),
  clins: () => part("clins"), documents: () => part("documents"), view: () => part("view", nameFields),
};

function loaded(name) {
  if (!later.has(name)) {
    later.set(name, (async () => {
      const module = await new Promise((resolve, reject) => {
        came.set(name, (data) => (data.module ? resolve(data.module) : reject(Object.assign(new Error(name), { code: name === "check" || name === "validate" ? name : "part" }))));
        post({ type: "need", name });
      });
      const glue = await glues[name]();
      glue.initSync({ module });
      return glue;
    })());
    // A page that was offline may try again.
    later.get(name).catch(() => { later.delete(name); });
  }
  return later.get(name);
}

/** What kind of archive begins like this: `zip`, `gzip`, `zstd`, `tar`; none for anything else. */
function archiveOf(head) {
  const begins = (...bytes) => bytes.every((b, i) => head[i] === b);
  if (begins(0x50, 0x4b, 3) || begins(0x50, 0x4b, 5)) return "zip";
  if (begins(0x1f, 0x8b)) return "gzip";
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  return sniff(head) === "archive" ? "tar" : undefined;
}

/**
 * The directory of an archive as entries to read later, those that are not read among them; a damaged
 * archive is one such entry; `undefined` if it is none. `packed`: it was in a gzip.
 */
async function expand(id, entry, packed = false) {
  const whole = entry.file ?? new Blob([entry.bytes]);
  const content = archiveOf(await slice(whole, [0, 512]));
  if (packed && content !== undefined && content !== "tar") return [{ ...entry, refused: "nested-archive" }];
  if (content === "zstd") return [{ ...entry, refused: "zstd" }];
  if (content === "gzip") {
    const { gunzip } = await import("./worker-tar.mjs");
    const file = await gunzip(whole, { check: () => check(id) });
    if (typeof file === "string") return [{ ...entry, refused: file }];
    const inner = { path: entry.path.replace(/\.gz$/i, ""), file };
    return (await expand(id, inner, true)) ?? [inner];
  }
  if (content === "tar") {
    const { openTar } = await import("./worker-tar.mjs");
    const read = (start, end) => slice(whole, [start, end]);
    const { files, left, damaged } = await openTar({ size: whole.size, read }, () => check(id));
    return [
      ...left.map(([path, refused]) => ({ path, refused })),
      ...files.map(({ path, start, size }) => ({ path, file: whole.slice(start, start + size) })),
      ...(damaged ? [{ ...entry, refused: "damaged" }] : []),
    ];
  }
  if (content !== "zip") return undefined;
  const { ZipArchive } = await loaded("unpack");
  const blob = whole.size <= MAX_HELD ? await slice(whole, [0, whole.size]) : whole;
  const archive = new ZipArchive(whole.size);
  for (;;) {
    check(id);
    let answer;
    try {
      answer = archive.open();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      answer = undefined;
    }
    if (answer === undefined || (Array.isArray(answer) && answer[1] <= answer[0])) {
      archive.free();
      return [{ ...entry, refused: "damaged" }];
    }
    if (!Array.isArray(answer)) {
      archive.drop_parts();
      return [
        ...answer.left.map(([path, refused]) => ({ path, refused })),
        ...answer.paths.map((path, index) => ({ path, zip: { archive, blob, index } })),
      ];
    }
    archive.feed(answer[0], await slice(blob, answer));
  }
}

/** One file of a zip. No other is read from it meanwhile. */
async function unpack({ path, zip }) {
  const { archive, blob, index } = zip;
  const before = archive.busy;
  const mine = (async () => {
    await before;
    try {
      for (;;) {
        const answer = archive.read(index);
        if (answer instanceof Uint8Array) return answer;
        if (typeof answer === "string" || answer[1] <= answer[0]) throw new Refused(path, typeof answer === "string" ? answer : "damaged");
        archive.feed(answer[0], await slice(blob, answer));
      }
    } finally {
      archive.drop_parts();
    }
  })();
  archive.busy = mine.catch(() => {});
  return mine;
}

/** Folder of a patient in a storage, and what lies in it: enough for a first list. */
const IN_STORAGE = /(?:^|\/)\d{3}\/\d{3}\/([^/]+)\/([^/]+)\/([^/]+)\//;

/** Sends rows `[id, path, patient, kind, state, date]` of files. `first` marks the list that is not yet sorted out. */
function sendRows(id, from, ids, first) {
  const rows = pack(ids.map((i) => {
    const { path } = files[i];
    if (first) {
      const [, patient = "", date = "", kind = ""] = IN_STORAGE.exec(path) ?? [];
      return [i, path, patient, kind, "current", date];
    }
    const p = places.get(path);
    return [i, path, p?.patient ?? "", p?.kind ?? "", p?.state ?? "foreign", p?.date ?? ""];
  }));
  post({ type: "rows", id, from, first, rows }, [rows.buffer]);
}

/**
 * Takes files in pieces. Large folders are shown at once as they come; the last piece expands
 * archives, lets the engine sort the storage out and sends the list anew.
 */
async function open({ id, list, last }) {
  const from = files.length;
  for (const entry of list) files.push(entry);
  if (from === 0) mayList = true;
  mayList &&= list.every((entry) => !ARCHIVE.test(entry.path));
  if (mayList && !(last && from === 0)) sendRows(id, from, list.map((_, k) => from + k), true);
  if (!last) return;
  const started = performance.now();
  const expanded = [];
  const known = new Set();
  for (const entry of files) {
    check(id);
    // A storage's files have no extension: only names that say so, or a single file, are looked into.
    const inside = ARCHIVE.test(entry.path) || files.length === 1 ? await expand(id, entry) : undefined;
    // Where paths of two archives are the same, those of the later one are below its name.
    let below = "";
    for (let n = 1; inside?.some((file) => known.has(below + file.path)); n += 1) below = `${entry.path}${n > 1 ? ` (${n})` : ""}/`;
    for (const file of inside ?? [entry]) {
      file.path = below + file.path;
      known.add(file.path);
      expanded.push(file);
    }
  }
  files = expanded;
  await breathe();
  check(id);
  arrange(listStorage(files.map((f) => f.path)));
  for (let at = 0; at < order.length || at === 0; at += CHUNK) {
    check(id);
    sendRows(id, at, order.slice(at, at + CHUNK), false);
    await breathe();
  }
  post({ type: "done", id, total: order.length, ms: performance.now() - started });
}

/** Order of the list: patients with their files as the engine lists them, then the rest. */
function arrange(listing) {
  places = new Map();
  patients = new Map();
  const byPath = new Map(files.map((f, i) => [f.path, i]));
  const taken = new Uint8Array(files.length);
  order = [];
  for (const patient of listing.patients) {
    // Patients of two institutions may bear the same number.
    const name = patient.institution ? `${patient.id} @ ${patient.institution}` : patient.id;
    const mine = [];
    for (const f of patient.files) {
      const at = byPath.get(f.path);
      if (at === undefined || taken[at]) continue;
      taken[at] = 1;
      places.set(f.path, { patient: name, kind: f.kind, state: f.state, date: f.date });
      mine.push(at);
      order.push(at);
    }
    patients.set(name, mine);
  }
  for (const path of listing.skipped ?? []) {
    const at = byPath.get(path);
    // What is refused is named, whatever its name.
    if (at !== undefined && !files[at].refused) taken[at] = 1;
  }
  for (let i = 0; i < files.length; i += 1) if (!taken[i]) order.push(i);
}

const isMessage = (bytes) => sniff(bytes.subarray(0, 512)) === "hl7";

/**
 * What the engine takes a file for, and whether it is converted: a file outside any storage that
 * is neither a message nor a document is only shown.
 */
function look(entry, bytes) {
  const content = sniff(bytes.subarray(0, 512));
  const stray = !places.has(entry.path) && ["other", "json", "archive"].includes(content);
  return { content, stray };
}

/** Whether it is a message outside of a storage, beside one: among all files its ids would have two contents. */
const isBeside = ({ path, bytes }) => patients.size > 0 && !places.has(path) && isMessage(bytes);

/** Loads what a file needs beyond the core: of messages the findings name fields, where the names can be had. */
async function prepare(path, bytes) {
  if (isDocument(path, bytes)) await loaded("documents");
  else if (isMessage(bytes)) await loaded("view").catch(() => {});
}

/** An engine, with what its output needs. */
async function engineOf(options) {
  if (options.to === "clins") await loaded("clins");
  if (options.trace) await loaded("view");
  return new Engine(options);
}

/** A conversion that gave nothing but a finding. */
const nothing = (engine, code, path, argument) =>
  ({ json: new Uint8Array(), diagnostics: [engine.fileFinding(code, path, argument)], stats: { resources: {} }, stray: true });

/** What is found of a file that is not converted: archives of the list were opened, one that is left lies in another. */
const stranger = (engine, path, content) =>
  content === "archive" ? nothing(engine, "SSM146", path, "nested-archive") : nothing(engine, "SSM108", path, content);

/** What is found of a file that is not read. */
const refusal = (engine, path, error) => nothing(engine, CODES[error.reason] ?? "SSM115", path, error.reason ?? "file-unreadable");

/** What the engine gives, with the microseconds it took: of nothing else that runs meanwhile. */
function timed(run) {
  const from = performance.now();
  const out = run();
  return { ...out, us: Math.round((performance.now() - from) * 1000) };
}

async function convertOne(engine, entry, bytes) {
  const { content, stray } = look(entry, bytes);
  if (!stray) {
    await prepare(entry.path, bytes);
    return timed(() => engine.convert(entry.path, bytes));
  }
  // JSON is shown as it is.
  if (content === "json") return { json: Uint8Array.from(bytes), diagnostics: [], stats: { resources: {} }, stray };
  return stranger(engine, entry.path, content);
}

/** All files that one output of these options is made of, and the conversion. */
async function convert(id, engine, index, { options, byPatient }) {
  const entry = files[index];
  const patient = places.get(entry.path)?.patient;
  if (patient !== undefined && byPatient) {
    const { given, findings } = await together(id, engine, patients.get(patient));
    const out = timed(() => engine.convertPatient(given));
    return { ...out, diagnostics: [...findings, ...out.diagnostics] };
  }
  if (patient !== undefined && (options.to ?? "bundle") === "bundle") {
    const made = await inPatient(id, patient, options);
    const own = made.of.get(entry.path);
    const diagnostics = made.diagnostics.filter((d) => d.primary.file === entry.path);
    if (own) return { ...own, json: own.json.slice(), stats: { resources: tally(own.json) }, us: made.us, diagnostics };
    // The storage makes nothing of it, since another version holds: it is shown by itself.
    return { ...(await convertOne(engine, entry, await read(id, entry))), diagnostics };
  }
  try {
    return await convertOne(engine, entry, await read(id, entry));
  } catch (error) {
    if (!unreadable(error)) throw error;
    return refusal(engine, entry.path, error);
  }
}

/** Files of a group, read ahead: `given`, and the findings of those that are not read. */
async function together(id, engine, group, each = async () => {}) {
  const given = [];
  const findings = [];
  for (let at = 0; at < group.length; at += READ_AHEAD) {
    check(id);
    const some = group.slice(at, at + READ_AHEAD);
    const all = await Promise.allSettled(some.map((i) => read(id, files[i])));
    for (const [k, { value: bytes, reason }] of all.entries()) {
      const { path } = files[some[k]];
      if (bytes) {
        await prepare(path, bytes);
        given.push({ path, bytes });
      } else if (unreadable(reason)) {
        findings.push(...refusal(engine, path, reason).diagnostics);
        // Its name counts where the version in force is chosen.
        if (engine.pieces && places.has(path)) given.push({ path, bytes: UNREAD });
      } else {
        throw reason;
      }
      await each(bytes?.length ?? 0);
    }
  }
  return { given, findings };
}

/** What the patient last looked at gave, message by message: the next one shown is often of the same one. */
let held = {};

/**
 * The Bundles of a patient by the path of their message, `{json, trace}`, and all findings: which
 * versions count, which stay an event is of and what is withdrawn, all files say together. The
 * trace is made only when it is wanted: that of a large message takes longer than everything else.
 */
async function inPatient(id, patient, options) {
  const group = patients.get(patient);
  const wanted = { ...options, per: "message" };
  const key = `${opened} ${patient} ${JSON.stringify({ ...wanted, trace: undefined })}`;
  const kept = [held.traced, options.trace ? undefined : held.plain].find((one) => one?.key === key);
  if (kept) return kept;
  const engine = await engineOf(wanted);
  try {
    const { given, findings } = await together(id, engine, group);
    check(id);
    const tracing = options.trace ? await import("./worker-trace.mjs") : undefined;
    const made = timed(() => engine.pieces(given, true));
    const of = new Map();
    let from = 0;
    made.ends.forEach((end, i) => {
      const path = sourceOf(made, i, given);
      if (path !== undefined) {
        const trace = tracing?.traceOf(made.traces, i, undefined, made.unused.filter((u) => u.file === path));
        of.set(path, { json: made.json.slice(from, end), trace });
      }
      from = end;
    });
    const whole = { key, of, us: made.us, diagnostics: [...findings, ...made.diagnostics] };
    held[options.trace ? "traced" : "plain"] = whole;
    return whole;
  } finally {
    engine.free();
  }
}

/** How many resources of each type a Bundle has; a DELETE has none. */
function tally(bundle) {
  const of = {};
  for (const { resource } of JSON.parse(new TextDecoder().decode(bundle)).entry ?? []) {
    if (resource) of[resource.resourceType] = (of[resource.resourceType] ?? 0) + 1;
  }
  return of;
}

/** The file that a Bundle is of: of a file alone it is all of it. */
const sourceOf = (made, i, given) => given[given.length === 1 && i === 0 ? 0 : made.sources[i]]?.path;

const count = (diagnostics) => {
  let errors = 0, warnings = 0, infos = 0;
  for (const d of diagnostics) {
    if (d.severity === "error") errors += 1; else if (d.severity === "warning") warnings += 1; else infos += 1;
  }
  return [errors, warnings, infos];
};

/** A file that cannot be read is counted; a panic or a cancel ends the run. */
const unreadable = (error) => error instanceof Refused || error?.name === "NotReadableError" || error?.name === "NotFoundError";

/** Findings of a file of FHIR. */
async function validate(path, bytes, lang) {
  return (await loaded("validate")).validated(path, bytes, lang);
}

/** Files as the check takes them: those of a patient together, others one by one. */
const units = () => [
  ...[...patients.values()].filter((group) => group.length > 0).map((group) => ({ group, patient: true })),
  ...order.filter((i) => !places.has(files[i].path)).map((i) => ({ group: [i], patient: false })),
];

/** What `byPerson` gave for the list as it stands. */
let joined;

/** Files as they are converted, and findings of that: as the check takes them, but the loose messages of a person together. */
async function byPerson(id) {
  if (joined?.order === order) return joined;
  const all = units();
  const isLoose = ({ group: [index], patient }) => !patient && !places.has(files[index].path);
  // Beside a storage they are told, not converted.
  if (patients.size > 0 || all.filter(isLoose).length < 2) return { units: all, notes: [] };
  const own = { order, units: [], notes: [] };
  const { peopleOf, together: put, withdrawnBesideNameless } = await import("./worker-persons.mjs");
  const apart = [];
  for (const unit of all) {
    const [index] = unit.group;
    if (!isLoose(unit)) {
      own.units.push(unit);
      continue;
    }
    const { path } = files[index];
    let bytes = new Uint8Array();
    try {
      check(id);
      // What it holds is read again when it is its turn.
      bytes = await read(id, files[index]);
    } catch (error) {
      if (!unreadable(error)) throw error;
    }
    apart.push({ path, index, length: bytes.length, people: isMessage(bytes) ? peopleOf({ path, bytes }) : [] });
  }
  // As the command line meets them, whatever order they were chosen in.
  apart.sort((a, b) => (a.path < b.path ? -1 : 1));
  const { of, apart: left } = put(apart, MAX_FILE);
  if (left !== undefined) own.notes.push(["SSM181", "", String(left)]);
  for (const file of apart) {
    const members = of.get(file);
    if (members) {
      for (const { path } of withdrawnBesideNameless(members, listStorage)) own.notes.push(["SSM116", path, ""]);
      own.units.push({ group: members.map((m) => m.index), patient: true, loose: true });
    } else if (!of.has(file)) {
      own.units.push({ group: [file.index], patient: false });
    }
  }
  // The list may have grown meanwhile.
  if (own.order === order) joined = own;
  return own;
}

/** Converts and checks everything and counts; results are not kept, they are made again when shown. */
async function run({ id, options, rules }) {
  await showing;
  // Lines, since what several patients share is then counted once.
  const { bundle: _, per: __, ...rest } = options;
  const engine = new Engine({ ...rest, trace: false, to: "ndjson" });
  const { Shared } = await import("./worker-shared.mjs");
  const shared = new Shared();
  let checker;
  let done = 0, bytesDone = 0, resources = 0;
  let counts = [], findings = [];
  const flush = () => {
    const rows = pack({ counts, findings });
    post({ type: "counts", id, rows }, [rows.buffer]);
    counts = [];
    findings = [];
  };
  const pace = pacer(id, order.length, flush);
  // Without the rules, or without the validation, the other findings are still worth having.
  const off = new Set(rules === "off" ? ["check", "validate"] : []);
  const orNothing = async (name, make) => {
    try {
      return off.has(name) ? undefined : await make();
    } catch (error) {
      if (error?.code !== name) throw error;
      off.add(name);
      post({ type: "failed", id, code: name });
      return undefined;
    }
  };
  try {
    const { units: todo, notes } = await byPerson(id);
    for (const note of notes) findings.push(...nothing(engine, ...note).diagnostics);
    for (const { group, patient, loose } of todo) {
      const found = new Map(group.map((index) => [files[index].path, { index, diagnostics: [] }]));
      const note = (diagnostics) => {
        for (const d of diagnostics) (found.get(d.primary.file) ?? found.get(files[group[0]].path)).diagnostics.push(d);
      };
      const { given: all, findings: refused } = await together(id, engine, group, async (length) => {
        bytesDone += length;
        done += 1;
        await pace(done, bytesDone);
      });
      note(refused);
      const given = [];
      for (const file of all) {
        const { content, stray } = look(file, file.bytes);
        if (isBeside(file)) note(nothing(engine, "SSM182", file.path, content).diagnostics);
        else if (!stray) given.push(file);
        else if (content !== "json") note(stranger(engine, file.path, content).diagnostics);
        else found.get(file.path).diagnostics.push(...(await orNothing("validate", () => validate(file.path, file.bytes, options.lang)) ?? []));
      }
      if (given.length > 0) {
        const made = engine.pieces(given, patient);
        note(made.diagnostics);
        made.types.forEach((type, i) => {
          if (made.shared[i]) shared.offer(type, made.ids[i], made.json.subarray(made.ends[i - 1] ?? 0, made.ends[i]));
          else if (type !== "Bundle") resources += 1;
        });
      }
      // FHIR alone needs no rules of SS-MIX2.
      if (given.length > 0) checker ??= await orNothing("check", async () => new (await loaded("check")).Checker(rules, options.lang));
      const checked = checker && given.length > 0 ? checker.unit(given.filter(({ bytes }) => bytes !== UNREAD), patient && !loose) : new Map();
      for (const [path, { index, diagnostics }] of found) {
        const all = checker ? checker.merge(checked.get(path) ?? [], diagnostics) : diagnostics;
        counts.push([index, ...count(all)]);
        for (const d of all) findings.push(d);
      }
    }
    resources += [...shared.resources()].length;
    for (const key of shared.contradicted()) findings.push(...nothing(engine, "SSM183", "", key).diagnostics);
    flush();
    post({ type: "progress", id, done, total: order.length, bytes: bytesDone });
    post({ type: "done", id, total: done, resources });
  } finally {
    engine.free();
    checker?.free();
  }
}

/** The bytes to show of a file; of one that is not read its beginning, as far as it can be had. */
async function shownBytes(id, entry) {
  try {
    return { raw: await read(id, entry), refused: false };
  } catch (error) {
    if (!unreadable(error)) throw error;
    const raw = await slice(entry.file ?? new Blob([entry.bytes ?? ""]), [0, MIB]).catch(() => new Uint8Array());
    return { raw, refused: true };
  }
}

/** Kept when the file chosen last is on the page: what takes long and is not seen at once waits for it. */
let showing = Promise.resolve();

/** Everything shown of one file but the trace; its findings of the check come after the rest. */
async function node({ id, index, options, byPatient, compare, rules }) {
  const entry = files[index];
  let shownNow;
  showing = new Promise((resolve) => { shownNow = resolve; });
  let engine;
  try {
    engine = await engineOf({ ...options, trace: false });
    const { raw, refused } = await shownBytes(id, entry);
    check(id);
    const { content, stray } = look(entry, raw);
    await prepare(entry.path, raw);
    await loaded("view");
    const view = engine.parse(entry.path, raw);
    const out = await convert(id, engine, index, { options, byPatient });
    check(id);
    const other = compare ? await withEngine(compare.options, (e) => convert(id, e, index, compare)) : undefined;
    const meta = pack({
      view: { ...view, diagnostics: undefined }, findings: out.diagnostics, stats: out.stats, us: out.us ?? 0, path: entry.path,
      content: refused ? "other" : content,
      index,
    });
    const isFhir = stray && content === "json";
    const checks = rules !== "off" && !refused && (isFhir || !stray);
    const shown = Uint8Array.from(raw);
    const transfer = [meta.buffer, out.json.buffer, shown.buffer];
    if (other) transfer.push(other.json.buffer);
    post({ type: "result", id, meta, json: out.json, raw: shown, other: other?.json, checks }, [...new Set(transfer)]);
    shownNow();
    if (checks) {
      await breathe();
      check(id);
      const findings = isFhir
        ? await validate(entry.path, raw, options.lang)
        : await checkShown(id, index, options.lang, rules, out.diagnostics, byPatient);
      const found = pack({ findings });
      post({ type: "result", id, found }, [found.buffer]);
    }
    post({ type: "done", id });
  } finally {
    shownNow();
    engine?.free();
  }
}

/** Files of a unit of the check; what cannot be read or is nothing of ours is left out. */
async function gather(id, group) {
  const given = [];
  for (const i of group) {
    check(id);
    try {
      const bytes = await read(id, files[i]);
      if (!look(files[i], bytes).stray) given.push({ path: files[i].path, bytes });
    } catch (error) {
      if (!unreadable(error)) throw error;
    }
  }
  return given;
}

/** The file of FHIR that a unit of the check is, if it is one. */
async function gatherFhir(id, [i]) {
  check(id);
  try {
    const { path } = files[i];
    const bytes = await read(id, files[i]);
    const { content, stray } = look(files[i], bytes);
    return stray && content === "json" ? { path, bytes } : undefined;
  } catch (error) {
    if (!unreadable(error)) throw error;
    return undefined;
  }
}

/** Reports of the patient last looked at: the next file shown is often of the same one. */
let latest = { key: "", reports: new Map() };

/** Findings of the check and the conversion of one file, or with `whole` of all files of its patient. */
async function checkShown(id, index, lang, rules, diagnostics, whole) {
  const { Checker } = await loaded("check");
  const { path } = files[index];
  const patient = places.get(path)?.patient;
  const group = patients.get(patient) ?? [index];
  const key = `${opened} ${group[0]} ${group.length} ${rules} ${lang}`;
  const checker = new Checker(rules, lang);
  try {
    if (latest.key !== key) {
      latest = { key, reports: checker.unit(await gather(id, group), patient !== undefined) };
    }
    const own = whole ? [...latest.reports.values()].flat() : latest.reports.get(path) ?? [];
    return checker.merge(own, diagnostics);
  } finally {
    checker.free();
  }
}

/** What the fixes of the file shown would change, as text. */
async function fix({ id, index, options, rules }) {
  const { Checker } = await loaded("check");
  const checker = new Checker(rules, options.lang);
  try {
    const { path } = files[index];
    const meta = encoder.encode(checker.fixed(path, await read(id, files[index])).diff);
    post({ type: "result", id, meta }, [meta.buffer]);
    post({ type: "done", id });
  } finally {
    checker.free();
  }
}

/** The report of all files in a format of the command line, or the file shown with its fixes. */
async function saveChecked(id, what, index, lang, rules) {
  const { Checker, reportOf } = await loaded("check");
  const checker = new Checker(rules, lang);
  try {
    let made;
    if (what === "fixed") {
      const { path } = files[index];
      const { bytes } = checker.fixed(path, await read(id, files[index]));
      made = { name: safeName(path.split(/[\\/]/).pop()), blob: new Blob([bytes], { type: "application/octet-stream" }) };
    } else {
      made = await reportOf(what, units(), async (group, patient) => {
        const given = await gather(id, group);
        if (given.length > 0) return checker.kept(given, patient);
        const fhir = await gatherFhir(id, group);
        return fhir && (await loaded("validate")).kept(fhir.path, fhir.bytes, lang);
      }, pacer(id, order.length));
    }
    post({ type: "result", id, ...made });
    post({ type: "done", id });
  } finally {
    checker.free();
  }
}

async function withEngine(options, f) {
  const engine = await engineOf(options);
  try { return await f(engine); } finally { engine.free(); }
}

/** So many go in one piece: a large message has more than one text can hold. */
const HITS = 20_000;

/** Of what is not converted. */
const NO_TRACE = { bytes: [], texts: [], files: [], complete: true };

/** Numbers texts as they come, from `first`; `fresh` has those that are new since it was emptied. */
function numbered(first) {
  const known = new Map();
  const of = (text) => {
    let n = known.get(text);
    if (n === undefined) {
      n = first + known.size;
      known.set(text, n);
      of.fresh.push(text);
    }
    return n;
  };
  of.fresh = [];
  return of;
}

/** Hits and unused fields of one output, in pieces as `TraceIndex::add` takes them. */
async function trace({ id, index, options, byPatient }) {
  await showing;
  const out = await withEngine({ ...options, trace: true }, (e) => convert(id, e, index, { options, byPatient }));
  const { Trace } = await import("./worker-trace.mjs");
  const whole = out.trace instanceof Trace ? out.trace : new Trace(out.trace ?? NO_TRACE);
  // The page says how many there may be (`TRACE_LARGE`).
  if (!whole.complete) throw Object.assign(new Error("trace"), { code: "trace" });
  const [files, paths, tables] = [numbered(0), numbered(0), numbered(1)];
  const all = whole.ordered();
  for (let more = true; more; await breathe()) {
    check(id);
    const hits = [];
    while (more && hits.length < HITS) {
      const { value, done } = all.next();
      more = !done;
      if (done) break;
      const { pointer, row, spans } = value;
      const hit = [pointer, row ? tables(row.table) : 0];
      for (const { file, start, end, path } of spans) hit.push(files(file), start, end, paths(path));
      hits.push(hit);
    }
    const meta = pack({ files: files.fresh, paths: paths.fresh, tables: tables.fresh, hits, unused: more ? [] : whole.unused() });
    for (const of of [files, paths, tables]) of.fresh = [];
    post({ type: "result", id, meta, more }, [meta.buffer]);
  }
  post({ type: "done", id });
}

/** Findings of the output shown, by the validation of FHIR. */
async function validateOutput({ id, index, options, byPatient }) {
  const out = await withEngine({ ...options, trace: false }, (e) => convert(id, e, index, { options, byPatient }));
  const found = pack({ findings: await validate(OUTPUT, out.json, options.lang) });
  post({ type: "result", id, found }, [found.buffer]);
  post({ type: "done", id });
}

/** Adds packages of FHIR and takes one away; says which there are, and which could not be read. */
async function packages({ id, list, remove, lang }) {
  const work = await loaded("validate");
  if (remove) work.remove(remove);
  const failed = [];
  for (const entry of list ?? []) {
    try {
      work.add(await read(id, entry), lang);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      failed.push([entry.path, error?.code === "invalid-option" ? error.message : ""]);
    }
  }
  post({ type: "packages", list: work.compiled() });
  const meta = pack({ packages: work.list(lang), failed });
  post({ type: "result", id, meta }, [meta.buffer]);
  post({ type: "done", id });
}

const safeName = (path) => path.replace(/[\\:*?"<>|\u0000-\u001f]/g, "_").replace(/^\/+/, "").replace(/(^|\/)\.\.(?=\/|$)/g, "$1__");

/** Makes a file to save: the shown output, all outputs in a zip, or the trace. */
async function save({ id, what, index, options, byPatient, rules }) {
  if (!["shown", "all", "ndjson", "trace"].includes(what)) {
    await saveChecked(id, what, index, options.lang, rules);
    return;
  }
  if (what === "shown") {
    const out = await withEngine({ ...options, trace: false }, (e) => convert(id, e, index, { options, byPatient }));
    const lines = options.to === "ndjson";
    const name = safeName(files[index].path.split(/[\\/]/).pop()) + (lines ? ".ndjson" : ".json");
    post({ type: "result", id, name, blob: new Blob([out.json], { type: lines ? "application/fhir+ndjson" : "application/fhir+json" }) });
    post({ type: "done", id });
    return;
  }
  // Whole patients: the engine chooses among the versions of their files, as the command line does.
  const { units: todo, notes } = await byPerson(id);
  const to = what === "ndjson" ? "ndjson" : options.to ?? "bundle";
  const engine = await engineOf({ ...options, trace: what === "trace", to });
  const { ZipWriter } = await import("./worker-zip.mjs");
  const tracing = await import("./worker-trace.mjs");
  const { Shared } = await import("./worker-shared.mjs");
  const zip = new ZipWriter();
  const parts = new Map();
  const shared = new Shared();
  const add = (name, bytes) => {
    if (!parts.has(name)) parts.set(name, []);
    parts.get(name).push(bytes);
  };
  const addLine = (name, value) => add(name, encoder.encode(`${JSON.stringify(value)}\n`));
  let done = 0;
  const pace = pacer(id, todo.length);
  try {
    for (const note of notes) for (const d of nothing(engine, ...note).diagnostics) addLine("diagnostics.ndjson", d);
    for (const { group, patient } of todo) {
      check(id);
      const { input, made, diagnostics } = await piecesOf(id, engine, group, patient);
      let from = 0;
      for (const [i, end] of (made?.ends ?? []).entries()) {
        let piece = made.json.subarray(from, end);
        from = end;
        const [type, own] = [made.types[i], made.ids[i]];
        const trace = what === "trace" ? tracing.traceOf(made.traces, i) : undefined;
        if (made.shared[i]) {
          shared.offer(type, own, piece, trace);
          continue;
        }
        let replaced;
        if (to === "bundle") ({ json: piece, replaced } = shared.bundle(piece));
        if (trace) {
          for (const hit of trace) if (!replaced?.(hit)) addLine("trace.ndjson", { resource: `${type}/${own}`, ...hit });
          continue;
        }
        const source = what === "all" && made.types[i] === "Bundle" ? nameOf(made, i, to, group, byPatient && patient, input) : undefined;
        if (source !== undefined) {
          await zip.add(source, [piece]);
        } else {
          const name = made.types[i] === "Bundle" ? "deleted.ndjson" : `${made.types[i]}.ndjson`;
          add(name, piece);
          if (piece.at(-1) !== 10) add(name, LF);
        }
      }
      if (what === "trace") for (const unused of made?.unused ?? []) addLine("trace.ndjson", { unused });
      for (const d of diagnostics) addLine("diagnostics.ndjson", d);
      done += 1;
      await pace(done);
    }
    if (to === "ndjson") {
      for (const { type, id: own, json, leaves } of shared.resources()) {
        for (const hit of leaves ?? []) addLine("trace.ndjson", { resource: `${type}/${own}`, ...hit });
        if (what === "trace") continue;
        add(`${type}.ndjson`, json);
        add(`${type}.ndjson`, LF);
      }
    }
    for (const key of shared.contradicted()) for (const d of nothing(engine, "SSM183", "", key).diagnostics) addLine("diagnostics.ndjson", d);
    for (const name of [...parts.keys()].sort()) { check(id); await zip.add(name, parts.get(name)); }
    const names = { all: "warifu-bundles.zip", ndjson: "warifu-ndjson.zip", trace: "warifu-trace.zip" };
    post({ type: "result", id, name: names[what], blob: zip.blob() });
    post({ type: "done", id });
  } finally {
    engine.free();
  }
}

/** The name of a saved Bundle: that of its message, below its data kind; none for what only deletes beside collections. */
function nameOf(made, i, to, group, whole, input) {
  if (to !== "bundle") return `${to}/${made.ids[i]}.json`;
  if (whole) return i === 0 ? `patient-${group[0]}.json` : undefined;
  const path = sourceOf(made, i, input);
  if (path === undefined) return undefined;
  const place = places.get(path);
  const leaf = path.split("/").pop();
  if (place === undefined) return `${safeName(path)}.json`;
  return leaf.startsWith(`${place.patient.split(" ")[0]}_`)
    ? safeName(`${place.kind}/${leaf}.json`)
    : safeName(`${place.kind}/${path.split("/").slice(-2).join("_")}.json`);
}

/** What one patient (or a loose file) gives, `made` of `input`, unless nothing can be made of it, and what is found. */
async function piecesOf(id, engine, group, isPatient) {
  const { given, findings } = await together(id, engine, group);
  const input = [];
  for (const file of given) {
    const { content, stray } = look(file, file.bytes);
    if (isBeside(file)) findings.push(...nothing(engine, "SSM182", file.path, content).diagnostics);
    else if (!stray) input.push(file);
    else if (content !== "json") findings.push(...stranger(engine, file.path, content).diagnostics);
  }
  if (input.length === 0) return { diagnostics: findings };
  const made = engine.pieces(input, isPatient);
  return { input, made, diagnostics: [...findings, ...made.diagnostics] };
}

/** Tries to send; says what happened. The answer is expected to be a refusal. */
async function probe({ id }) {
  const blocked = [];
  const listen = (event) => blocked.push(event.effectiveDirective);
  addEventListener("securitypolicyviolation", listen);
  let sent = false;
  try { await fetch(new URL("./probe", import.meta.url), { method: "POST", body: "x" }); sent = true; } catch { /* refused */ }
  // The page counts it: it sees no requests of a worker.
  if (sent) post({ type: "sent", bytes: 1 });
  await breathe();
  removeEventListener("securitypolicyviolation", listen);
  const meta = pack({ sent, directive: blocked[0] ?? "" });
  post({ type: "result", id, meta }, [meta.buffer]);
  post({ type: "done", id });
}

/** The page of a rule, in Markdown: the check has those of all rules, FHIR's too. */
async function rulePage({ id, code, lang }) {
  const page = later.has("check") || later.has("validate")
    ? (await loaded("check")).checkRule(code, lang)
    : (await loaded("rules")).rule(code, lang);
  const meta = encoder.encode(page ?? "");
  post({ type: "result", id, meta }, [meta.buffer]);
  post({ type: "done", id });
}

const jobs = { open, run, node, trace, fix, export: save, validate: validateOutput, packages, probe, rule: rulePage };

addEventListener("message", async ({ data }) => {
  if (data.type === "init") {
    try {
      initSync({ module: data.module });
      post({ type: "ready", version: version() });
    } catch (error) {
      post({ type: "failed", id: 0, code: "init", text: String(error?.name ?? error) });
    }
    return;
  }
  if (data.type === "module") { came.get(data.name)(data); return; }
  if (data.type === "cancel") { cancelled.add(data.id); return; }
  if (data.type === "forget") {
    files = []; order = []; places = new Map(); patients = new Map();
    opened += 1;
    held = {};
    return;
  }
  const message = { ...data, options: data.options ?? {} };
  try {
    await jobs[data.type](message);
  } catch (error) {
    if (error instanceof Cancelled) {
      cancelled.delete(data.id);
      post({ type: "done", id: data.id, cancelled: true });
    } else if (error instanceof Refused) {
      post({ type: "failed", id: data.id, code: error.reason === "too-large" || error.reason === "expansion" ? "too-large" : "read" });
    } else if (error instanceof WebAssembly.RuntimeError) {
      // A panic: the instance is not to be used again. Only its name leaves, never the text.
      post({ type: "failed", id: data.id, code: "internal" });
    } else {
      const code = error?.code ?? (error instanceof RangeError ? "memory" : "read");
      post({ type: "failed", id: data.id, code, text: typeof error === "string" ? error : "" });
    }
  }
});
