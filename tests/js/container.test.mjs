// The container file. No registry of images is asked here, so that it is not built: it is read, and what it
// runs is run where that can be: the command of its entry point, its probe, the build's ignore file.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CLI, Office } from "../browser/portal-office.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const text = readFileSync(`${root}templates/server/Containerfile`, "utf8");

/** Stages: each a list of `[instruction, rest]`, with continued lines joined. */
function stages() {
  const joined = text.split("\n").filter((line) => !line.startsWith("#")).join("\n").replace(/\\\n\s*/g, "");
  const all = [];
  for (const line of joined.split("\n").filter(Boolean)) {
    const [, name, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? assert.fail(line);
    if (name === "FROM") all.push([]);
    all.at(-1).push([name, rest]);
  }
  return all;
}

const [build, last, ...more] = stages();
const of = (stage, name) => stage.filter(([n]) => n === name).map(([, rest]) => rest);
const words = (stage, name) => JSON.parse(of(stage, name)[0]);

test("two stages: what builds stays behind, and what runs is nobody of power and has no secret", () => {
  assert.equal(more.length, 0);
  assert.deepEqual(of(build, "FROM"), [`rust:${/^rust-version = "(.+)"$/m.exec(readFileSync(`${root}Cargo.toml`, "utf8"))[1]}-trixie AS build`]);
  assert.deepEqual(of(last, "FROM"), ["debian:trixie-slim"]);
  // Of the first only the program goes along, and nothing of the machine that builds.
  assert.deepEqual(of(last, "COPY"), ["--from=build /src/target/release/warifu /usr/local/bin/warifu"]);
  const user = of(last, "USER");
  assert.match(user.join(), /^[1-9]\d*:[1-9]\d*$/);
  const after = last.slice(last.findIndex(([n]) => n === "USER"));
  assert.ok(after.every(([n]) => n !== "RUN" && n !== "COPY"), "nothing is put there by another user afterwards");
  assert.match(of(last, "RUN").join(), new RegExp(`install --directory --mode 0700 --owner ${user[0].split(":")[0]} .* ${of(last, "VOLUME")[0]}`));
  for (const [name] of [...build, ...last]) assert.ok(!["ADD", "ENV", "ARG"].includes(name), `${name}: nothing from elsewhere, and no value that stays in the image`);
  assert.deepEqual(of(last, "STOPSIGNAL"), ["SIGTERM"]);
  assert.match(text, /--read-only .*--cap-drop all --security-opt no-new-privileges/);
});

test("the build's command is one of xtask's, and its program is where it is taken from", () => {
  const [, command] = /^cargo xtask (.+)$/.exec(of(build, "RUN").at(-1));
  const [name, ...options] = command.split(" ");
  const help = readFileSync(`${root}crates/xtask/src/main.rs`, "utf8");
  const [usage] = new RegExp(`^  ${name} [\\s\\S]*?\\n  [a-z]`, "m").exec(help);
  for (const option of options) assert.ok(usage.includes(option), option);
  assert.match(readFileSync(`${root}crates/xtask/src/demo.rs`, "utf8"), /join\("release\/warifu"\)/);
});

test("the build gets every file of the repository, and nothing that is kept beside them", () => {
  const git = (...rest) => execFileSync("git", ["-C", root, ...rest], { encoding: "utf8", input: "" });
  assert.equal(git("ls-files", "--cached", "--ignored", `--exclude-from=${root}.dockerignore`), "");
  const kept = ["target/demo-office/data/secret/server.pem", "data/secret/data.key", "data/warifu.db", "deploy/server.env", ".git/config", "a.pem"];
  for (const path of kept) {
    const { status } = spawnSync("git", ["-C", root, "-c", `core.excludesFile=${root}.dockerignore`, "check-ignore", "--no-index", "--quiet", path]);
    if (path.startsWith(".git/")) assert.match(readFileSync(`${root}.dockerignore`, "utf8"), /^\*\*\/\.git$/m);
    else assert.equal(status, 0, path);
  }
});

test("entry point, default arguments and probe do what they say, and the system's unit has the same", async () => {
  const entry = words(last, "ENTRYPOINT");
  assert.deepEqual(entry, ["/usr/local/bin/warifu", "serve"]);
  const office = await Office.start();
  const probe = /^.*? CMD (\[.*\])$/.exec(of(last, "HEALTHCHECK")[0]);
  const [program, ...rest] = JSON.parse(probe[1]);
  const { port } = new URL(office.url);
  const look = () => spawnSync(program, rest, { env: { PATH: process.env.PATH, PORT: port }, stdio: "ignore" }).status;
  try {
    const given = words(last, "CMD").map((word) => (word === "/var/lib/warifu/data" ? office.data : word));
    execFileSync(CLI, [...entry.slice(1), ...given, "--bind", new URL(office.url).host, "--check-config"], { stdio: "ignore" });
    assert.equal(look(), 0);
    // The other way that the comment tells of: refused without a certificate, and its flags are there.
    const [, public_] = /give in place of CMD\n#\s+(--data .*)$/m.exec(text);
    const { stderr, status } = spawnSync(CLI, ["serve", ...public_.replaceAll("FILE", "/nowhere").replace("/var/lib/warifu/data", office.data).split(" "), "--check-config"], { encoding: "utf8" });
    assert.notEqual(status, 0);
    assert.match(stderr, /--tls-cert: .*No such file/);
  } finally {
    await office.close();
  }
  assert.notEqual(look(), 0);
  const unit = readFileSync(`${root}templates/server/warifu.service`, "utf8");
  assert.ok(unit.includes(`ExecStart=${[...entry, ...words(last, "CMD")].join(" ")}\n`));
  assert.ok(existsSync(`${root}.dockerignore`));
});

// The same as the flags give with which the container is run.
const TRY = "mount --make-rprivate / && mount -o remount,bind,ro / && mount -t tmpfs tmpfs /mnt";
const alone = process.getuid() === 0 && spawnSync("unshare", ["--mount", "sh", "-c", TRY]).status === 0;
test("it runs as another user where nothing but its volume and /tmp can be written", { skip: alone ? false : "needs root, and mounts" }, async () => {
  const office = await Office.start();
  await office.stop();
  // Others have to come by, where they have no right of root.
  chmodSync(office.folder, 0o711);
  const { host, port } = new URL(office.url);
  const probe = JSON.parse(/^.*? CMD (\[.*\])$/.exec(of(last, "HEALTHCHECK")[0])[1])[2];
  const script = `
    mount --make-rprivate / && mount --bind "$1" "$1" && chown -R 10001:10001 "$1" || exit 1
    for point in $(awk '{print $5}' /proc/self/mountinfo); do
      case "$point" in "$1"|/proc*|/dev*|/sys*) ;; *) mount -o remount,bind,ro "$point" 2>/dev/null ;; esac
    done
    mount -t tmpfs -o noexec,nosuid tmpfs /mnt
    if touch /tmp/probe.$$ 2>/dev/null; then echo "not read-only"; exit 1; fi
    TMPDIR=/mnt setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all "$0" serve --data "$1" --bind "$2" --forwarded & pid=$!
    for i in $(seq 300); do PORT="$3" bash -c "$4" 2>/dev/null && break; kill -0 $pid || exit 1; sleep 0.1; done
    kill -TERM $pid && wait $pid`;
  try {
    const ran = spawnSync("unshare", ["--mount", "bash", "-c", script, CLI, office.data, host, port, probe], { encoding: "utf8", timeout: 60_000 });
    assert.equal(ran.status, 0, `${ran.stdout}${ran.stderr}`);
    assert.match(ran.stderr, /"route":"\/readyz".*"status":200/);
  } finally {
    rmSync(office.folder, { recursive: true });
  }
});
