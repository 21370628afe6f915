// Pools in Node.js, Deno and Bun.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import * as api from "./convert.node.mjs";
import { Pool, sizeOf } from "./pool-core.mjs";

export async function createPool(options) {
  const size = sizeOf(options, availableParallelism());
  await api.init();
  const spawn = ({ module, message, failed }) => {
    const worker = new Worker(new URL("./pool-worker.node.mjs", import.meta.url));
    worker.on("message", message);
    worker.on("error", failed);
    worker.on("messageerror", failed);
    worker.postMessage({ module });
    return { post: (m) => worker.postMessage(m), terminate: () => worker.terminate() };
  };
  return new Pool({ size, spawn, api });
}
