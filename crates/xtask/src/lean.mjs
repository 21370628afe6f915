// Makes the scripts of a page shorter, in place: `node lean.mjs VITE FILE…`. Names that are exported or belong
// to properties stay.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [vite, ...files] = process.argv.slice(2);
let minifySync;
try {
  ({ minifySync } = await import(pathToFileURL(vite).href));
} catch (e) {
  // Vite wants a newer Node.js 20 than all else here does.
  console.log(`wasm: scripts of the pages are left long: ${e.message}`);
  process.exit();
}
for (const file of files) {
  // A service worker is no module: its names are those of the whole scope.
  const module = !file.endsWith("sw.js");
  const { code, errors } = minifySync(file, readFileSync(file, "utf8"), { module, mangle: { toplevel: module } });
  if (errors.length > 0) throw new Error(`${file}: ${errors.map((e) => e.message).join("; ")}`);
  writeFileSync(file, code);
}
