// Serves web/dist as the consent server does: screens at their paths, strict headers, answers of a
// given function below /api. The worker with the key gets no network.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css",
  ".wasm": "application/wasm", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
};
const policy = (connect) => "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; "
  + `connect-src ${connect}; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; `
  + "require-trusted-types-for 'script'; trusted-types warifu";

const body = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
};

/** `api(method, path, body, for)` gives `{status?, body? or text?}`, or nothing for 404; throwing ends the connection without an answer. */
export async function servePortal(api, root = fileURLToPath(new URL("../../web/dist", import.meta.url))) {
  const log = [];
  // Seconds by which its clock is ahead.
  const clock = { ahead: 0 };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://x");
    const path = decodeURIComponent(pathname);
    response.setHeader("Date", new Date(Date.now() + clock.ahead * 1000).toUTCString());
    log.push(`${request.method} ${path}`);
    if (path.startsWith("/api/")) {
      try {
        const text = await body(request);
        const answer = await api(request.method, path.slice(4), text ? JSON.parse(text) : undefined, searchParams.get("for") ?? undefined);
        const status = answer ? answer.status ?? 200 : 404;
        response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json", "Cache-Control": "no-store" });
        response.end(answer?.text ?? JSON.stringify(answer?.body ?? {}));
      } catch {
        response.destroy();
      }
      return;
    }
    const name = extname(path) ? normalize(path).replace(/^\/+/, "") : "index.html";
    try {
      if (request.method !== "GET" || name.startsWith("..")) throw new Error("refused");
      const content = await readFile(join(root, name));
      response.writeHead(200, {
        "Content-Type": TYPES[extname(name)] ?? "application/octet-stream",
        "Content-Security-Policy": policy(name === "worker.mjs" ? "'none'" : "'self'"),
        "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
      });
      response.end(content);
    } catch {
      response.writeHead(404, { "Content-Type": "text/plain" }).end("not found");
    }
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return { url: `http://127.0.0.1:${server.address().port}`, log, clock, close: () => new Promise((r) => { server.closeAllConnections(); server.close(r); }) };
}
