// Messages outside a storage: those of one person are converted together, as the command line does it
// (`loose` of the crate `warifu-storage`).

/** Most files that are put together; those behind them stay apart. */
const MOST = 100_000;
/** Most files of one person. */
const MOST_OF_ONE = 65_535;

/** Patient, date, kind, order, time stamp, department (perhaps) and flag. */
const NAME = /^([^_]+)_([^_]*)_(.+)_[^_]*_(?:\d{12,}|\d{8,}(?=_[^_]*_[012]$))(?:_[^_]*)?_([012])$/;

/** What the name of a file says, if it is one of a storage. */
function nameOf(path) {
  const leaf = path.split(/[/\\]/).at(-1);
  const [, patient, date, kind, flag] = NAME.exec(leaf) ?? [];
  return patient && { leaf, patient, date, kind, flag };
}

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The number at the beginning of a field, without what stands around it; empty where it is none. */
function numberAt(bytes, from, to, ends) {
  let end = from;
  while (end < to && !ends.includes(bytes[end])) end += 1;
  try {
    const number = text.decode(bytes.subarray(from, end)).trim();
    return /\p{Cc}/u.test(number) ? "" : number;
  } catch {
    return "";
  }
}

const isEnd = (b) => b === 0x0d || b === 0x0a || b === 0x0b || b === 0x1c;
const begins = (bytes, at, name) => [...name].every((c, i) => bytes[at + i] === c.charCodeAt(0));

const latin1 = new TextDecoder("latin1");

/** Whether a number is none of those that are written where there is none: zeros alone, ten nines, `""`. */
const isNumber = (number) => !/^0*(9{10}|"")?$/.test(number);

/** Where the fields of a segment in UTF-8 begin, and one behind the last. */
function fieldsOf(bytes, from, to, delimiter) {
  const fields = [from];
  for (let at = from; at < to; at += 1) if (bytes[at] === delimiter) fields.push(at + 1);
  return fields.concat(to + 1);
}

/** Key of a person without a number: the bytes of name, birth date and sex; it can be no number. */
function nameless(bytes, fields) {
  const field = (n) => latin1.decode(bytes.subarray(fields[n - 1], fields[n] - 1));
  const [name, birth, sex] = [5, 7, 8].map((n) => (n < fields.length ? field(n) : ""));
  return name && birth ? `\x1e${name}\x1e${birth}\x1e${sex}` : "";
}

const encoder = new TextEncoder();
const decoders = ["iso-2022-jp", "shift_jis"].map((name) => new TextDecoder(name));

/**
 * A segment in UTF-8, whatever it was written in. An escape right behind another is no character, though the
 * decoder makes one of it.
 */
function decoded(bytes) {
  if (bytes.every((b) => b >= 0x20 && b < 0x80)) return bytes;
  let whole;
  try {
    whole = bytes.includes(0x1b) ? decoders[0].decode(bytes) : text.decode(bytes);
  } catch {
    whole = decoders[1].decode(bytes);
  }
  return encoder.encode(whole.replaceAll("\ufffd", ""));
}

/**
 * The persons of the messages in a file: the patient number (`PID-3`, the first of each segment), or where there
 * is none a key of name, birth date and sex.
 */
export function patientsOf(bytes) {
  const found = new Set();
  // MSH-1 and the three delimiters that may end the number.
  let ends = [0x7c, 0x5e, 0x7e, 0x26];
  for (let from = 0, to = 0; from < bytes.length; from = to + 1) {
    for (to = from; to < bytes.length && !isEnd(bytes[to]); ) to += 1;
    if (to - from > 7 && begins(bytes, from, "MSH")) ends = [3, 4, 5, 7].map((n) => bytes[from + n]);
    else if (begins(bytes, from, "PID") && bytes[from + 3] === ends[0]) {
      const segment = decoded(bytes.subarray(from, to));
      const fields = fieldsOf(segment, 4, segment.length, ends[0]);
      const number = fields.length > 3 ? numberAt(segment, fields[2], fields[3] - 1, ends) : "";
      const person = isNumber(number) ? number : nameless(segment, fields);
      if (person) found.add(person);
    }
  }
  return [...found];
}

/** Whom a message is of: by what it says and by its name, without what systems write before a number. */
export const peopleOf = ({ path, bytes }) =>
  [...patientsOf(bytes), nameOf(path)?.patient ?? ""].map((number) => number.trim().replace(/^0+/, "")).filter(isNumber);

/** Files that have a person in common, directly or by others, each group in their order. */
function groupsOf(files) {
  const of = new Map();
  const parents = [];
  const root = (group) => {
    let own = group;
    while (parents[own] !== own) own = parents[own];
    return own;
  };
  const mine = files.map(({ people = [] }) => {
    let own;
    for (const person of people) {
      if (!of.has(person)) of.set(person, parents.push(parents.length) - 1);
      const known = root(of.get(person));
      const first = own === undefined ? known : root(own);
      parents[Math.max(first, known)] = own = Math.min(first, known);
    }
    return own;
  });
  const groups = new Map();
  files.forEach((file, i) => {
    if (mine[i] === undefined) return;
    const key = root(mine[i]);
    if (groups.has(key)) groups.get(key).push(file);
    else groups.set(key, [file]);
  });
  return [...groups.values()];
}

/**
 * Puts files `{path, people, length}` together: `{of, apart}`. `of` has the members of a group by its first
 * one, and nothing for the others; what is not in it is by itself. `apart` counts files whose group is too
 * large, undefined where none is.
 */
export function together(files, mostBytes) {
  const of = new Map();
  let apart = files.length > MOST ? 0 : undefined;
  for (const members of groupsOf(files.slice(0, MOST))) {
    // Versions are weighed by their names.
    if (members.length === 1 && (nameOf(members[0].path)?.flag ?? "1") === "1") continue;
    if (members.length > MOST_OF_ONE || members.reduce((sum, { length }) => sum + length, 0) > mostBytes) {
      apart = (apart ?? 0) + members.length;
      continue;
    }
    for (const member of members) of.set(member, undefined);
    of.set(members[0], members);
  }
  return { of, apart };
}

/**
 * Withdrawn files of a person of whom there are messages without a name as well: whether one of these is of
 * what was withdrawn is not weighed. `list` lists paths of a storage.
 */
export function withdrawnBesideNameless(members, list) {
  const names = members.map(({ path }) => nameOf(path));
  if (names.every(Boolean)) return [];
  const paths = names.map((name) => name && [name.patient.slice(0, 3), name.patient.slice(3, 6), name.patient, name.date, name.kind, name.leaf].join("/"));
  const states = new Map(list(paths.filter(Boolean)).patients.flatMap(({ files }) => files.map((file) => [file.path, file.state])));
  return members.filter((_, i) => states.get(paths[i]) === "cancelled");
}
