// A PostgreSQL of the test's own: in a folder of its own, at a socket there, gone with the test; as in
// crates/warifu-store/tests/postgresql.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

const DEBIAN = "/usr/lib/postgresql";
const isRoot = process.getuid?.() === 0;

/** Newest folder that has its programs: those of Debian's package are in no path. */
function programs() {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const all = [...debian.map((version) => join(DEBIAN, version, "bin")), ...(process.env.PATH ?? "").split(delimiter)];
  return all.find((folder) => ["initdb", "postgres", "createdb"].every((name) => existsSync(join(folder, name))));
}

const found = programs();
/** Why tests over it are passed over; `false` where they are not, or may not be. */
export const skip = found || process.env.WARIFU_NEEDS_POSTGRESQL ? false : "no PostgreSQL (Debian: apt-get install postgresql)";

/** As its own user where this is root, for whom it refuses to run. */
const as = (name, words) => {
  const program = [join(found, name), ...words];
  return isRoot ? ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", ...program]] : [program[0], program.slice(1)];
};
const OPTIONS = { cwd: "/", env: { ...process.env, LC_ALL: "C" } };
const run = (name, ...words) => execFileSync(...as(name, words), { ...OPTIONS, stdio: ["ignore", "ignore", "pipe"] });

export class Postgresql {
  static async start() {
    if (!found) throw new Error("no PostgreSQL");
    const server = new Postgresql();
    // Short: the path of a socket has a bound.
    server.folder = mkdtempSync("/tmp/pg");
    if (isRoot) execFileSync("chown", ["postgres", server.folder]);
    const data = join(server.folder, "data");
    run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata", data);
    const settings = ["listen_addresses=", "fsync=off", "lc_messages=C", "max_connections=40"].flatMap((s) => ["-c", s]);
    server.process = spawn(...as("postgres", ["-D", data, "-k", server.folder, ...settings]), { ...OPTIONS, stdio: ["ignore", "ignore", "pipe"] });
    const lines = createInterface({ input: server.process.stderr });
    await new Promise((resolve, reject) => {
      lines.on("line", (line) => { if (line.includes("ready to accept connections")) resolve(); });
      server.process.once("exit", (code) => reject(new Error(`PostgreSQL ended with ${code}`)));
    });
    server.made = 0;
    return server;
  }

  /** Address of a fresh database. */
  database() {
    this.made += 1;
    const name = `w${process.pid}_${this.made}`;
    run("createdb", "-h", this.folder, "-U", "postgres", "-T", "template0", name);
    return `postgres://postgres@${encodeURIComponent(this.folder)}/${name}`;
  }

  async close() {
    const ended = new Promise((resolve) => { this.process.once("exit", resolve); });
    this.process.kill("SIGINT");
    await ended;
    rmSync(this.folder, { recursive: true });
  }
}
