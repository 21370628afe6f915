// A worker of a pool in Node.js, Deno and Bun.
import { parentPort } from "node:worker_threads";
import { work } from "./pool-work.mjs";

parentPort.on("message", (data) => work(data, (answer, transfer) => parentPort.postMessage(answer, transfer)));
