// Pools in browsers.
import * as api from "./convert.mjs";
import { Pool, sizeOf } from "./pool-core.mjs";

export async function createPool(options) {
  const size = sizeOf(options, navigator.hardwareConcurrency);
  await api.init();
  const spawn = ({ module, message, failed }) => {
    const worker = new Worker(new URL("./pool-worker.mjs", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => message(data);
    worker.onerror = failed;
    worker.onmessageerror = failed;
    worker.postMessage({ module });
    return { post: (m) => worker.postMessage(m), terminate: async () => worker.terminate() };
  };
  return new Pool({ size, spawn, api });
}
