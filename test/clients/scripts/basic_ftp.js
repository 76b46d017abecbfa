// npm's basic-ftp. scripts_test.go sets the environment; exit 0: all is right.
const fs = require("fs");
const ftp = require("basic-ftp");
const env = process.env, there = `${env.FTP_ROOT}/${env.FTP_DIR}`, tls = env.FTP_TLS !== "plain";
let failed = 0;
const check = (what, good) => { if (!good) failed++; console.log((good ? "ok   " : "FAIL ") + what); };
const same = (a, b) => fs.existsSync(a) && fs.readFileSync(a).equals(fs.readFileSync(b));
// Node.js ends a TLS connection that carried nothing without close_notify: docs/protocol.md, known limits.
const names = [...(tls ? [] : ["empty"]), "a file", "Grüße", "quo\"te's"];
async function open() {
  const c = new ftp.Client(20000);
  const secureOptions = { host: env.FTP_HOST, servername: "localhost" };
  if (tls) {
    secureOptions.ca = fs.readFileSync(env.FTP_CA);
    secureOptions.minVersion = secureOptions.maxVersion = "TLSv" + env.FTP_VERSION;
  }
  await c.access({ host: env.FTP_HOST, port: +env.FTP_PORT, user: "alice", password: "secret", secure: tls, secureOptions });
  await c.cd("/" + env.FTP_DIR);
  return c;
}
(async () => {
  let c = await open();
  for (const n of names) {
    await c.uploadFrom(n, n);
    check("put " + n, same(`${there}/${n}`, n));
    await c.downloadTo("got", n);
    check("get " + n, same("got", n));
  }
  for (const command of ["MLSD", "LIST"]) {
    c.availableListCommands = [command];
    const list = await c.list();
    check(command, JSON.stringify(list.map(f => f.name).sort()) === JSON.stringify([...names].sort()) &&
      list.every(f => f.size === fs.statSync(`${there}/${f.name}`).size));
  }
  c.availableListCommands = ["MLSD"];
  check("size", await c.size("a file") === fs.statSync("a file").size);
  check("lastMod", Math.abs(await c.lastMod("a file") - fs.statSync(`${there}/a file`).mtime) < 2000);
  await c.ensureDir("new dir/inner");
  await c.cd("/" + env.FTP_DIR);
  check("ensureDir", fs.existsSync(`${there}/new dir/inner`));
  await c.removeDir("new dir");
  check("removeDir", !fs.existsSync(`${there}/new dir`));
  await c.rename("a file", "b");
  check("rename", fs.existsSync(`${there}/b`));
  await c.remove("b");
  check("remove", !fs.existsSync(`${there}/b`));
  await c.uploadFrom("large", "large");
  check("put large", same(`${there}/large`, "large"));
  fs.writeFileSync("part", fs.readFileSync("large").subarray(0, 1000001));
  await c.downloadTo("part", "large", 1000001);
  check("resumed get", same("part", "large"));
  fs.truncateSync(`${there}/large`, 1000001);
  await c.appendFrom(fs.createReadStream("large", { start: 1000001 }), "large");
  check("resumed put", same(`${there}/large`, "large"));
  // The library closes everything when a transfer is given up; a new session goes on.
  const source = fs.createReadStream("large");
  source.once("data", () => c.close());
  check("given up", await c.uploadFrom(source, "given-up").then(() => false, () => true));
  c = await open();
  const more = await Promise.all([open(), open(), open()]);
  await Promise.all(more.map((m, i) => m.downloadTo(`got${i}`, "large")));
  check("three at once", [0, 1, 2].every(i => same(`got${i}`, "large")));
  [c, ...more].forEach(m => m.close());
})().then(() => process.exit(failed ? 1 : 0), err => { console.log("FAIL", err); process.exit(1); });
