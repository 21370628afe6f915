"""The Merkle tree of RFC 6962 section 2.1, written from its definition: a second implementation.

Prints one JSON object a line: the root over leaves 0..n, every inclusion proof, every consistency
proof; leaf number i is the decimal number i in ASCII.
"""

import hashlib
import json
import sys


def mth(d):
    """MTH(D[n]): the hash of a list of entries."""
    if not d:
        return hashlib.sha256(b"").digest()
    if len(d) == 1:
        return hashlib.sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return hashlib.sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def split(n):
    """The largest power of two below n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def path(m, d):
    """PATH(m, D[n])."""
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return path(m, d[:k]) + [mth(d[k:])]
    return path(m - k, d[k:]) + [mth(d[:k])]


def subproof(m, d, whole):
    """SUBPROOF(m, D[n], b)."""
    if m == len(d):
        return [] if whole else [mth(d)]
    k = split(len(d))
    if m <= k:
        return subproof(m, d[:k], whole) + [mth(d[k:])]
    return subproof(m - k, d[k:], False) + [mth(d[:k])]


def main():
    for n in range(int(sys.argv[1]) + 1):
        d = [str(i).encode() for i in range(n)]
        print(json.dumps({
            "n": n,
            "root": mth(d).hex(),
            "inclusion": [[h.hex() for h in path(i, d)] for i in range(n)],
            "consistency": [[h.hex() for h in subproof(m, d, True)] for m in range(1, n + 1)],
        }))


main()
