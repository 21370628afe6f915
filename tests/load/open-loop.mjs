// Requests at a fixed rate, whatever the answers take: one that is slow holds up none behind it, as with
// clients who know nothing of each other. What each took counts from when it was due, so that a server which
// stalls is seen to.
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

/** Connections to one server, kept open. */
export class Client {
  constructor(url) {
    this.url = new URL(url);
    this.agent = new Agent({ keepAlive: true, maxSockets: 512, noDelay: true });
  }

  send(wanted) {
    const { method = "POST", path, headers = {}, body = "" } = wanted;
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.url;
      const length = { "Content-Length": Buffer.byteLength(body) };
      const out = request({ agent: this.agent, hostname, port, method, path, headers: { ...headers, ...length } }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.once("error", reject);
        answer.once("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
      });
      // A connection that was idle may be closed by the server just when it is used again.
      out.once("error", (error) => (out.reusedSocket && error.code === "ECONNRESET" ? resolve(this.send(wanted)) : reject(error)));
      out.end(body);
    });
  }

  close() { this.agent.destroy(); }
}

/** The value below which this share of sorted numbers lies. */
export const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];

/**
 * Sends what `make(n)` gives `rate` times a second for `seconds`; `seen(answer, n)` looks at each answer.
 * Gives milliseconds of those that were answered 200, sorted, the answers by status, and by how much the
 * requests themselves were late.
 */
export async function paced(client, { rate, seconds, make, seen = () => {} }) {
  const [took, late, by, running] = [[], [], new Map(), new Set()];
  const start = performance.now() + 5;
  for (let n = 0; n < rate * seconds; n += 1) {
    // Made before it is due: that is the client's time, not the server's.
    const wanted = make(n);
    const due = start + (n * 1000) / rate;
    const early = due - performance.now();
    if (early > 0.5) await sleep(Math.round(early));
    const sent = performance.now();
    late.push(Math.max(0, sent - due));
    const one = client.send(wanted).then((answer) => {
      const ms = performance.now() - Math.min(sent, due);
      by.set(answer.status, (by.get(answer.status) ?? 0) + 1);
      if (answer.status === 200) took.push(ms);
      seen(answer, n);
    });
    running.add(one);
    one.finally(() => running.delete(one)).catch(() => {});
  }
  await Promise.all(running);
  const sorted = (all) => all.sort((a, b) => a - b);
  return { took: sorted(took), late: sorted(late), by };
}
