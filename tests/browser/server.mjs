// Serves playground/dist with the headers of `cargo xtask serve`, for runs without xtask.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css",
  ".wasm": "application/wasm", ".json": "application/json", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
};
const policy = (connect) => "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
  + `font-src 'self'; connect-src ${connect}; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; `
  + "frame-ancestors 'none'; require-trusted-types-for 'script'";

/** Starts a server on a free loopback port; `log` collects `METHOD path`. */
export async function serve(root = fileURLToPath(new URL("../../playground/dist", import.meta.url))) {
  const log = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
    log.push(`${request.method} ${path}`);
    const name = normalize(path).replace(/^\/+/, "") || "index.html";
    try {
      if (request.method !== "GET" || name.startsWith("..")) throw new Error("refused");
      const body = await readFile(join(root, name));
      response.writeHead(200, {
        "Content-Type": TYPES[extname(name)] ?? "application/octet-stream",
        "Content-Security-Policy": policy(/^worker[^/]*\.m?js$/.test(name) ? "'none'" : "'self'"),
        "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache",
      });
      response.end(body);
    } catch {
      response.writeHead(404, { "Content-Type": "text/plain" }).end("not found");
    }
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return { url: `http://127.0.0.1:${server.address().port}/`, log, close: () => new Promise((r) => { server.closeAllConnections(); server.close(r); }) };
}

/**
 * Hands requests on to another server; `changes` maps a path to a function of its text, or to a
 * promise: then half of the answer is sent, and the rest when it resolves. `policy` false leaves the
 * policy out, as static hosts do.
 */
export async function forward(to, changes, policy = true) {
  const server = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url, to), { method: request.method });
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => !/^(content-length|content-encoding|connection|transfer-encoding)$/.test(name) && (policy || name !== "content-security-policy")));
    const change = changes[new URL(request.url, to).pathname];
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (change instanceof Promise) {
      const body = Buffer.from(await answer.arrayBuffer());
      response.setHeader("content-length", body.length);
      response.write(body.subarray(0, body.length / 2));
      await change;
      response.end(body.subarray(body.length / 2));
      return;
    }
    response.end(change ? change(await answer.text()) : Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => new Promise((r) => { server.closeAllConnections(); server.close(r); }) };
}
