// A worker of a pool in browsers.
import { work } from "./pool-work.mjs";

addEventListener("message", ({ data }) => work(data, (answer, transfer) => postMessage(answer, transfer)));
