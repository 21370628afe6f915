export { init, WarifuError } from "./convert.js";

/** Type of a token: `typ` of its header. */
export type Typ =
  | "consent-key+jwt"
  | "consent-grant+jwt"
  | "consent-deny+jwt"
  | "consent-objection+jwt"
  | "consent-revoke+jwt"
  | "consent-onward+jwt"
  | "consent-request+jwt"
  | "consent-receipt+jwt"
  | "access-request+jwt"
  | "break-glass+jwt"
  | "disaster+jwt"
  | "session-proof+jwt"
  | "release+jwt"
  | "statuslist+jwt";

/** Language of what a patient reads. */
export type TextLang = "ja" | "ja-easy" | "en";
export type Claims = { [name: string]: unknown };
export type KeyStateName = "active" | "retired" | "compromised";

/** A registered key. */
export interface RegisteredKey {
  class: "patient" | "registry" | "authority" | "institution" | "server" | "disaster" | "certified" | "status";
  /** `x` of the public JWK. */
  x: string;
  /** Default `active`. */
  state?: KeyStateName;
  /** Since when, seconds UTC. */
  at?: number;
  /** Code of an institution, `mi:…`: for onward grants in {@link stateOf}. */
  code?: string;
  /**
   * Of a patient's key the person it signs for; a proxy's stands here once for each person. {@link stateOf} takes
   * nothing of a key that does not say it; {@link verify} holds a token's `sub` to it where it is there.
   */
  sub?: string;
}

/**
 * Where and when a token is judged. Steps 1–12 always run, and so does 17 as far as the policy tells (purposes,
 * categories, `mi:*`, bundles of what takes a consent of its own). Not without what they need: 13 (whose key it is)
 * by `sub` of the key or by `bindings`, 14 by `bindings` (without it only that the token holds at `now`), recipients
 * of 17 by `master`, 18 by `annex`, 19 by `master` (a grant's by `annex` too), 21 by `bindings` and `lists`. Steps
 * 12a, 15, 16 and 20 ask the store that accepts and never run here.
 */
export interface VerifyContext {
  /** Seconds UTC: a token that has ended by then is refused as `EXPIRED`, one not begun as `NOT_YET`. */
  now: number;
  keys: readonly RegisteredKey[];
  /** Types that are expected; default all. */
  typ?: readonly Typ[];
  /** When the log received the token: an old token is looked at, its key is judged as of then, its times are not. */
  receipt?: number;
  /** Key bindings shown with a grant: it is then judged as one shown offline; needs `master`. */
  bindings?: readonly string[];
  /** Status lists at hand, by address; used with `bindings`. Without them whether it was revoked is not judged. */
  lists?: readonly { uri: string; token: string }[];
  /** Bytes of the annex: step 18, and with `master` step 19. */
  annex?: Uint8Array;
  /** Bytes of the master of facilities: recipients of step 17, and step 19. */
  master?: Uint8Array;
  /** Text of a policy; default the reference policy. */
  policy?: string;
  /** Language of the sentence; default `ja`. */
  lang?: TextLang;
}

/** A refusal: a reason whose name never changes, its step, the claim to blame, and a sentence for the person. */
export interface Refused {
  ok: false;
  reason: string;
  step: number;
  claim?: string;
  text: string;
}
export interface Verified {
  ok: true;
  typ: Typ;
  kid: string;
  /** Token hash. */
  hash: string;
  claims: Claims;
  /** Known from a status list that is not fresh: for emergencies only. */
  stale: boolean;
}
export declare function verify(token: string, context: VerifyContext): Verified | Refused;

/** A token that a store accepted, with what the store knows of it. */
export interface AcceptedToken {
  token: string;
  /** When the log received it, seconds UTC. */
  received: number;
  /** Bytes of a grant's annex; a grant without them is refused. */
  annex?: Uint8Array;
  /** Disclosures made under it so far; default 0. */
  used?: number;
  /** Age in seconds of the status list that tells of it; absent where the revokes are among the tokens. */
  age?: number;
}
export interface StateInput {
  sub: string;
  /** Seconds UTC. */
  now: number;
  keys: readonly RegisteredKey[];
  /** Every grant, onward grant, prohibition, revoke and objection of the person: without a revoke its grant is open. */
  tokens: readonly AcceptedToken[];
  notices?: readonly { src: string; at: number }[];
  policy?: string;
}
/**
 * The state of one person from accepted tokens, each verified (steps 1–12, 13 by `sub` of the patients' keys, 17 by
 * the policy, and 18 of a grant). The first token that does not verify is a refusal with its place `at`: then nothing may be decided.
 *
 * ```js
 * const keys = [{ class: "patient", x, sub }];
 * const { ok, state } = stateOf({ sub, now, keys, tokens: [{ token: grant, received, annex }, { token: revoke, received: later }] });
 * ```
 */
export declare function stateOf(input: StateInput): { ok: true; state: State } | (Refused & { at: number });

/** A grant as the decision sees it, best made by {@link stateOf}; members that are not listed here are refused. Days are `YYYY-MM-DD`, instants seconds UTC. */
export interface GrantState {
  jti: string;
  hash: string;
  kid: string;
  received: number;
  aud: readonly string[];
  pur: readonly string[];
  cat: readonly string[];
  window?: readonly [string | null, string | null];
  rec?: number | null;
  nbf: number;
  exp: number;
  annex: { src?: readonly string[]; res?: readonly string[]; lbl?: readonly string[]; wid?: readonly string[] };
  obl?: readonly string[];
  /** Disclosures left. */
  uses?: number | null;
  ended?: boolean;
  /** Age of the status list in seconds; absent where revokes are kept. */
  age?: number | null;
  /** Token hash of the parent, and the institution that signed. */
  parent?: readonly [string, string] | null;
  /** Version of the texts that the person saw: `txt.ver`; default 1. */
  texts?: number;
}
export interface DenialState {
  jti?: string;
  aud: readonly string[];
  pur: readonly string[];
  cat: readonly string[];
  nbf: number;
  exp?: number | null;
  emg?: boolean;
  ended?: boolean;
  age?: number | null;
}
export interface ObjectionState {
  kid: string;
  received: number;
  seq: number;
  pur: readonly string[];
  to: readonly string[];
  src: readonly string[];
  state: "on" | "off";
}
/** What is known of one person's consent; everything in it was verified. */
export interface State {
  policy?: string;
  grants?: readonly GrantState[];
  denials?: readonly DenialState[];
  objections?: readonly ObjectionState[];
  notices?: readonly { src: string; at: number }[];
  /** Keys that are not simply active. */
  keys?: readonly (readonly [string, KeyStateName, number])[];
}
export interface Request {
  who: "subject" | "proxy" | "recipient";
  /** Of a recipient. */
  code?: string | null;
  /** Categories a proxy may see. */
  scope?: readonly string[] | null;
  /** The represented person is 16 or older. */
  sixteen?: boolean;
  purpose?: string | null;
  mode?:
    | { kind: "normal" }
    | { kind: "breakglass"; valid: boolean; facility: boolean; role: string }
    | { kind: "disaster"; active: boolean };
  at: number;
}
export interface Item {
  key?: string;
  cats: readonly string[];
  /** What it is by itself where it stands in a document, whose category is in `cats`: a prohibition of one of them holds. */
  inside?: readonly string[];
  unknown?: boolean;
  src: string;
  encounter?: string | null;
  clinical?: readonly [string, string] | null;
  recorded?: number | null;
  /** Labels; absent = the labeller could not judge. */
  labels?: readonly string[] | null;
  origin?: "ehr" | "claims" | "phr";
  told?: "yes" | "no" | "unknown";
  uninformed?: boolean;
  undelivered?: boolean;
  /** Categories by the tables of earlier versions of texts: `[[1, ["inf.lab"]]]`; what is not here is not known. */
  before?: readonly (readonly [number, readonly string[]])[];
}
export interface Decision {
  effect: "permit" | "deny";
  basis: string | null;
  reason: string;
  grants: string[];
  obligations: string[];
  stale: boolean;
  /** Hash of the policy. */
  policy: string;
  /** What a recipient may be told: a reason that rests on an item is `NOT_AVAILABLE`. */
  told: string;
  /** In words: what was asked, the rules that were asked in their order, the answer. With `NOT_TOLD` not for the person. */
  chain: string[];
  /** For the person; `null` where the item is not to be spoken of. */
  sentence: string | null;
}
/** Decides one item; `master` names the facilities in the chain. */
export declare function decide(state: State, request: Request, item: Item, options?: { lang?: TextLang; master?: Uint8Array }): Decision;

export interface TemplateId {
  typ: Typ;
  /** Default `ja`. */
  lang?: TextLang;
  policy?: string;
}
export interface Rendered {
  ok: true;
  /** Exactly what has to be shown. */
  bytes: Uint8Array;
  text: string;
  /** `txt.h` */
  hash: string;
  /** The claims to sign, with `txt` and `anx`. */
  claims: Claims;
}
/** Text of claims without `txt`; a grant needs its annex. */
export declare function render(template: TemplateId, claims: Claims, annex: Uint8Array | undefined, master: Uint8Array): Rendered | Refused;

/** `txt.h` of a text as it was shown; `salt` is the annex's, or the 16 bytes of `jti` where there is none. */
export declare function textHash(salt: Uint8Array, text: string): string;

/** Bytes of an annex; the salt is drawn where none is given. */
export declare function annex(parts: {
  salt?: Uint8Array;
  src?: readonly string[];
  res?: readonly string[];
  lbl?: readonly string[];
  wid?: readonly string[];
}): Uint8Array;

/** What signs: a key that need not be extractable. */
export interface Signer {
  readonly kid: string;
  /** `x` of the public JWK. */
  readonly x: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
/** A private Ed25519 `CryptoKey` that may sign, by what browsers and Node.js both say of one. */
export interface PrivateKey {
  readonly type: string;
  readonly usages: readonly string[];
  readonly algorithm: { readonly name: string };
}
export declare function signerFromCryptoKey(key: PrivateKey, publicJwk: { readonly x?: string }): Promise<Signer>;
/** Signs claims; the bytes to sign are made here, never taken from anybody. */
export declare function sign(typ: Typ, claims: Claims, signer: Signer): Promise<{ ok: true; token: string } | Refused>;

/** What the holder knows of a resource beside its content. */
export interface Facts {
  /** Facility it comes from: `mi:…`. */
  src: string;
  /** 電子カルテ (default), レセプト, the person's own record. */
  origin?: "ehr" | "claims" | "phr";
  /** 告知: a claims-derived diagnosis goes out only with `yes`; default `unknown`. */
  told?: "yes" | "no" | "unknown";
  /** When it was recorded, seconds UTC; default `meta.lastUpdated`. */
  recorded?: number;
}
export interface FilterInput {
  state: State;
  request: Request;
  facts: Facts;
  /** Of single resources, by `Type/id`. */
  perResource?: Readonly<Record<string, Facts>>;
  /**
   * Ids of the Patients of the Bundle that are the person asked about: what belongs to others is withheld.
   * Without it a Bundle that speaks of more than one person is withheld in whole.
   */
  person?: string | readonly string[];
  /**
   * The person was told of everything the holder has, and nothing is flagged. Without it patients, proxies and
   * `app:` recipients get no free text, which may tell what they were not told.
   */
  allTold?: boolean;
}
export interface Withheld {
  key: string;
  type: string;
  categories: string[];
  reason: string;
}
/** The Bundle for the recipient; the rest is for the log and the person, never for the recipient. */
export declare function filter(
  bundle: Uint8Array,
  input: FilterInput,
): { bundle: Uint8Array; categories: string[]; grants: string[]; obligations: string[]; withheld: Withheld[] };

/** Keys of a log as `name+id+key`, and what was pinned. */
export interface LogTrust {
  log: string;
  witnesses?: readonly string[];
  /** How many of the witnesses must have signed; 1 where witnesses are named. */
  quorum?: number;
  facilities?: readonly string[];
  pin_size?: number;
  pin_root?: string;
  consistency?: readonly string[];
}
export interface LogAnswer {
  ok: boolean;
  reason?: string;
  [name: string]: unknown;
}
/** A line's way into the log; `proof` is a C2SP tlog-proof, which carries its checkpoint. */
export declare function verifyInclusion(leaf: string, proof: string, log: LogTrust): LogAnswer;
/** A disclosure's line, salt and proof or promise. */
export declare function verifyDisclosure(
  evidence: string,
  asked: { rcp: string; sub: string; pur: string; areq: string; at: number },
  log: LogTrust,
  now: number,
): LogAnswer;
/**
 * A person's own lines, one JSON object a line. Each line holds the one before it; nothing in them holds the
 * newest, which may have been altered, or lines after it cut off: `newest` is `unproven` then, and `pinned` where
 * `pin_n` is its number. `verifyInclusion` of `head` proves it.
 */
export declare function verifyHistory(
  lines: string,
  own: { sub: string; pin_n?: number; pin_head?: string; witnessed?: readonly string[] },
): LogAnswer & { n?: number; head?: string; newest?: "pinned" | "unproven" };

export declare function tokenHash(token: string): string | undefined;
/** Text of the QR symbol; `undefined` for what is no token, and for a token with several recipients. */
export declare function toQr(token: string): string | undefined;
export declare function fromQr(text: string): string | undefined;
