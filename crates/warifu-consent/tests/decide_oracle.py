"""A second, independent implementation of the decision (docs/consent.md, section 7).

Reads the policy file named by the first argument, then states as JSON lines from standard input,
and writes for each: effect/basis, reason, grants, obligations, stale. Standard library only.
"""
import json
import sys

DAY = 86400
POLICY = json.load(open(sys.argv[1], encoding="utf-8"))
CATS = [c["code"] for c in POLICY["categories"]]
EMERGENCY = {c["code"] for c in POLICY["categories"] if c.get("emergency")}
INDIVIDUAL = {c["code"] for c in POLICY["categories"] if c.get("individual")}
PURPOSES = {p["code"]: p for p in POLICY["purposes"]}
LABELS = [x["code"] for x in POLICY["labels"]]
MISSES = ["NO_GRANT", "AUD", "PURPOSE", "NOT_YET", "EXPIRED", "REVOKED", "STATUS_STALE", "CATEGORY",
          "INDIVIDUAL", "PERIOD", "AS_OF", "EXCLUDED", "USES"]


def expand(patterns):
    out = set()
    for p in patterns:
        minus = p.startswith("!")
        p = p.lstrip("!")
        if p == "@E":
            found = set(EMERGENCY)
        elif p.endswith("*"):
            found = {c for c in CATS if c.startswith(p[:-1])}
        else:
            found = {p}
        out = out - found if minus else out | found
    return out


def ceiling(purpose, recipient):
    for kind in POLICY["kinds"]:
        if recipient.startswith(kind["prefix"]):
            if kind["purposes"] != ["*"] and purpose not in kind["purposes"]:
                return None
            break
    patterns = PURPOSES[purpose]["ceiling"]
    if "@study" in patterns:
        for study in POLICY["studies"]:
            if study["to"] == recipient:
                return expand(study["cat"])
        return None
    return expand(patterns)


def key_ok(state, kid, received):
    for k, kind, at in state["keys"]:
        if k == kid and (kind == "retired" and received > at or kind == "compromised" and received >= at):
            return False
    return True


def decide(s):
    item, req = s["item"], s["request"]
    deny = lambda reason, grants=(): ("-", reason, sorted(grants), [], False)
    cats = set(item["cats"])
    who, purpose, mode, now = req["who"], req["purpose"], req["mode"]["kind"], req["at"]
    recipient = req.get("code") if who == "recipient" else None
    emergency = mode != "normal"
    # Somebody who says so makes no emergency.
    m = req["mode"]
    in_force = (mode == "breakglass" and m["valid"] and m["facility"] and m["role"] in POLICY["emergency_roles"]
                or mode == "disaster" and m["active"])
    extra = set()

    # D3
    if item["origin"] == "claims" and "inf.condition" in cats and item["told"] != "yes":
        return deny("NOT_TOLD")
    if item["undelivered"] and recipient != item["src"]:
        return deny("NOT_TOLD")
    if item["uninformed"]:
        if recipient is None or recipient.startswith("app:") or purpose in ("PATRQT", "FAMRQT"):
            return deny("NOT_TOLD")
        extra.add("NO_PATIENT_DISPLAY")

    asked = {purpose} if purpose else set()
    if in_force:
        match = {"TREAT", "ETREAT" if mode == "breakglass" else "DISASTER"}
    else:
        match = set(asked)

    # Categories by version of texts; a prohibition holds for what an item ever was, and for what it is
    # by itself inside a document.
    versions = {POLICY.get("texts", 1): cats, **{v: set(codes) for v, codes in item["before"]}}
    ever = set(item["inside"]).union(*versions.values())

    def prohibited():
        plain = False
        for d in s["denials"]:
            if not any(a in ("*", recipient or "") or a == "mi:*" and (recipient or "").startswith("mi:") for a in d["aud"]):
                continue
            if not (set(d["pur"]) & (asked | match)):
                continue
            if not (set(d["cat"]) & ever or len(d["cat"]) == len(CATS)):
                continue
            if now < d["nbf"] or d["exp"] is not None and now >= d["exp"]:
                continue
            if d["ended"] and (d["age"] is None or d["age"] <= POLICY["status_fresh"]):
                continue
            if in_force and d["emg"]:
                return "PROHIBITED_EMG"
            plain = plain or not in_force
        return "PROHIBITED" if plain else None

    # D4
    if who == "subject" and purpose == "PATRQT":
        return ("SELF", "PERMITTED", [], [], False)
    if who == "proxy" and purpose == "FAMRQT":
        p = prohibited()
        if p:
            return deny(p)
        inside = req["scope"] is None or not item["unknown"] and cats <= set(req["scope"])
        closed = req["sixteen"] and (item["labels"] is None or set(item["labels"]) & set(POLICY["minor_labels"]))
        if inside and not closed:
            return ("SELF", "PERMITTED", [], sorted(extra), False)
    # D1
    if item["unknown"] or not cats:
        return deny("UNCLASSIFIED")
    # D2
    if purpose not in PURPOSES:
        return deny("PURPOSE_UNKNOWN")
    if emergency and purpose not in ("TREAT", "ETREAT", "DISASTER"):
        return deny("PURPOSE_UNKNOWN")
    top = ceiling("TREAT" if emergency else purpose, recipient or "")
    if top is None or not cats <= top:
        return deny("CEILING")
    kind = PURPOSES[purpose]["kind"]
    # D5
    if kind == "statute":
        for st in POLICY["statutes"]:
            if st["to"] == (recipient or "") and cats <= expand(st["cat"]):
                return ("STATUTE:" + st["id"], "PERMITTED", [], sorted(extra), False)
        return deny("NO_STATUTE")
    # D6
    if kind == "opt-out":
        if not any(c["to"] == (recipient or "") and purpose in c["pur"] for c in POLICY["certified"]):
            return deny("OPTOUT_RECIPIENT")
        if not any(n["src"] == item["src"] and now - n["at"] >= POLICY["notice_days"] * DAY for n in s["notices"]):
            return deny("NOTICE_PENDING")
        newest = {}
        for o in s["objections"]:
            if o["state"] == "off" and not key_ok(s, o["kid"], o["received"]):
                continue
            for to in o["to"]:
                for src in o["src"]:
                    if purpose in o["pur"]:
                        # The highest seq rules; of two with one seq, "on".
                        rank = (o["seq"], o["state"] == "on")
                        if rank > newest.get((to, src), (-1, False)):
                            newest[(to, src)] = rank
        if any(newest.get((to, src), (0, False))[1] for to in ("*", recipient) for src in ("*", item["src"])):
            return deny("OBJECTED")
        p = prohibited()
        if p:
            return deny(p)
        return ("OPT_OUT", "PERMITTED", [], sorted(extra | {"DEID", "NORELINK", "TRACE"}), False)
    # D7
    p = prohibited()
    if p:
        return deny(p)

    # D8
    def check(g, c, rcp):
        miss, stale = plain(g, c, rcp)
        if miss:
            return miss, stale
        # The person saw the table of g's version: there, too, the item is c, and what else it is is granted.
        seen = versions.get(g["texts"], set())
        if c not in seen:
            return "CATEGORY", False
        for other in seen - cats:
            if all(plain(h, other, rcp)[0] for h in s["grants"]):
                return "CATEGORY", False
        return None, stale

    def plain(g, c, rcp):
        if rcp is None or not any(a == rcp or a == "mi:*" and rcp.startswith("mi:") for a in g["aud"]):
            return "AUD", False
        if not set(g["pur"]) & match:
            return "PURPOSE", False
        if now < g["nbf"]:
            return "NOT_YET", False
        if now >= g["exp"]:
            return "EXPIRED", False
        if g["ended"] or not key_ok(s, g["kid"], g["received"]):
            return "REVOKED", False
        age = g["age"] or 0
        stale = age > POLICY["status_fresh"]
        if stale and not ((in_force or purpose in ("ETREAT", "DISASTER")) and age <= POLICY["status_usable"]):
            return "STATUS_STALE", False
        if c not in g["cat"] or emergency and "TREAT" not in g["pur"] and c not in EMERGENCY:
            return "CATEGORY", False
        if c in INDIVIDUAL and len(g["cat"]) != 1:
            return "INDIVIDUAL", False
        lo, hi = g["window"]
        if lo is not None or hi is not None:
            if item["clinical"] is None:
                return "PERIOD", False
            a, b = item["clinical"]
            if lo is not None and a < lo or hi is not None and b > hi:
                return "PERIOD", False
        if g["rec"] is not None and (item["recorded"] is None or item["recorded"] > g["rec"]):
            return "AS_OF", False
        x = g["annex"]
        if item["src"] in x["src"] or item["key"] in x["res"] or item["encounter"] in x["wid"]:
            return "EXCLUDED", False
        if any(label not in LABELS for label in x["lbl"]):
            return "EXCLUDED", False
        if x["lbl"] and (item["labels"] is None or set(item["labels"]) & set(x["lbl"])):
            return "EXCLUDED", False
        if g["uses"] == 0:
            return "USES", False
        return None, stale

    def covers(g, c):
        miss, stale = check(g, c, recipient)
        if miss or not g["parent"]:
            return miss, stale
        hash_, signer = g["parent"]
        parents = [p for p in s["grants"] if p["hash"] == hash_ and not p["parent"]]
        if not parents:
            return "REVOKED", False
        miss, more = check(parents[0], c, signer)
        return miss, stale or more

    used, stale, near = [], False, []
    for c in cats:
        results = [(g, covers(g, c)) for g in s["grants"]]
        good = [(g, r[1]) for g, r in results if r[0] is None]
        if good:
            used += [g for g, _ in good]
            stale = stale or any(x for _, x in good)
        else:
            near.append([(MISSES.index(r[0]), g["jti"]) for g, r in results])
    if not near:
        obl = set(extra)
        for g in used:
            obl |= set(g["obl"])
        return ("GRANT", "PERMITTED", sorted({g["jti"] for g in used}), sorted(obl), stale)
    # D11, kept for the modes that fall through
    flat = [m for group in near for m in group]
    best = max((m for m, _ in flat), default=0)
    jtis = sorted(j for m, j in flat if m == best)[:1]
    if mode == "normal":
        return deny(MISSES[best], jtis)
    if mode == "breakglass":
        m = req["mode"]
        if not m["valid"]:
            return deny("BG_INVALID", jtis)
        if not m["facility"]:
            return deny("BG_FACILITY", jtis)
        if m["role"] not in POLICY["emergency_roles"]:
            return deny("BG_ROLE", jtis)
        basis = "EMERGENCY"
    else:
        if not req["mode"]["active"]:
            return deny("DIS_INACTIVE", jtis)
        basis = "DISASTER"
    if not cats <= EMERGENCY:
        return deny("BG_CATEGORY", jtis)
    return (basis, "PERMITTED", [], sorted(extra | {"NORDSCLCD", "NOPERSISTP", "NOTIFY", "REVIEW"}), False)


for line in sys.stdin:
    basis, reason, grants, obligations, stale = decide(json.loads(line))
    print("|".join([basis, reason, ",".join(grants), ",".join(obligations), str(stale).lower()]))
