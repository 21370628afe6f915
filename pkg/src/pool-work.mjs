// What a worker of a pool does with a message.
import { adoptModule, Machine } from "./convert-core.mjs";

/** Engines by handle and institution. */
const machines = new Map();

function machine({ handle, options }) {
  if (handle === undefined) return new Machine(options);
  const key = `${handle} ${options.institution ?? ""}`;
  let there = machines.get(key);
  if (!there) machines.set(key, (there = new Machine(options)));
  return there;
}

/** Answers one message through `reply(answer, transfer)`. */
export function work(message, reply) {
  if (message.module) {
    adoptModule(message.module);
    return;
  }
  if (message.forget !== undefined) {
    for (const [key, old] of machines) {
      if (key.startsWith(`${message.forget} `)) {
        old.free();
        machines.delete(key);
      }
    }
    return;
  }
  try {
    const own = machine(message);
    const result = own[message.call](message.argument);
    if (message.handle === undefined) own.free();
    reply({ result }, result?.json ? [result.json.buffer] : []);
  } catch (e) {
    reply({ error: { code: e.code ?? "internal", message: e.message } }, []);
  }
}
