// What a function body could try with Node alone, if Node's own permission model were not there. Prints what came of each
// as JSON: the error's text, or "reached". Its argument is the JSON of the world that escape.test.ts makes.
import child from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import process from "node:process";

const { home, secret, socket, abstract, port, addresses, victim, module } = JSON.parse(process.argv[2]);

const connect = (...to) =>
  new Promise((resolve, reject) => {
    const connection = net.connect(...to);
    connection.once("connect", () => resolve(connection.destroy()));
    connection.once("error", reject);
  });
const read = (file) => () => fs.readFileSync(file, "utf8");
const sent = (host) => () =>
  new Promise((resolve, reject) => {
    const datagrams = dgram.createSocket(host.includes(":") ? "udp6" : "udp4");
    datagrams.once("error", reject);
    datagrams.send("x", port, host, (error) => (error ? reject(error) : resolve()));
  });
const listening =
  (...where) =>
  () =>
    new Promise((resolve, reject) => {
      const server = net.createServer();
      server.once("error", reject);
      server.listen(...where, () => resolve(server.close()));
    });
const here = `${module}/link-out`;

const attempts = {
  "a file of the user's": read(secret),
  "a file by a relative way": read(`${module}/../../../../../../../..${secret}`),
  "a file by a URL": () => fs.readFileSync(new URL(`file://${secret}`)),
  "a file by bytes": () => fs.readFileSync(Buffer.from(secret)),
  "a file by a link of the module": read(`${here}/secret.txt`),
  "a file by the root of its process": read(`/proc/self/root${secret}`),
  "a file by its working folder": read(`/proc/self/cwd/../../../../..${secret}`),
  "a file by a link that it makes": () => (fs.symlinkSync(home, "/tmp/home"), fs.readFileSync("/tmp/home/secret.txt")),
  "a hard link to a file": () => fs.linkSync(secret, "/tmp/linked"),
  "a copy of a file": () => fs.copyFileSync(secret, "/tmp/copied"),
  "a file's name": () => fs.statSync(secret),
  "a folder of the user's": () => fs.readdirSync(home),
  "the folder of all homes": () => fs.readdirSync("/home"),
  "a link's target outside": () => fs.realpathSync(`${here}/secret.txt`),
  "a stream of a file": () =>
    new Promise((resolve, reject) => fs.createReadStream(secret).once("data", resolve).once("error", reject)),
  "a watch on a file": () => fs.watch(secret).close(),
  "the machine's passwords": read("/etc/shadow"),
  "the machine's name": read("/etc/hostname"),
  "the machine's keys": read("/etc/ssl/private"),
  "the machine's disks": () => fs.readdirSync("/sys/block"),
  "the container runtime's socket": () => connect("/var/run/docker.sock"),
  "the repository's git": () => read(`${module}/.git/config`)(),
  "our own state": () => read(`${module}/.fastloop/record`)(),
  "a file beside a user's file": () => fs.writeFileSync(`${home}/made`, ""),
  "a file in the module": () => fs.writeFileSync(`${module}/made`, ""),
  "a change of the module's file": () => fs.appendFileSync(`${module}/data.txt`, "x"),
  "a rename in the module": () => fs.renameSync(`${module}/data.txt`, `${module}/gone`),
  "the removal of the module's file": () => fs.rmSync(`${module}/data.txt`),
  "a mode of the module's file": () => fs.chmodSync(`${module}/data.txt`, 0o777),
  "times of the module's file": () => fs.utimesSync(`${module}/data.txt`, 0, 0),
  "a shorter file of the module's": () => fs.truncateSync(`${module}/data.txt`),
  "a file out of the temporary folder": () => (fs.writeFileSync("/tmp/out", ""), fs.renameSync("/tmp/out", "/made")),
  "a write by its own mount of the module": () => fs.writeFileSync(`/proc/self/root${module}/made`, ""),
  "a change of Node": () => fs.appendFileSync(process.execPath, "x"),
  "a change of the names' file": () => fs.appendFileSync("/etc/hosts", "x"),
  "a setting of the kernel": () => fs.writeFileSync("/proc/sys/kernel/core_pattern", "|/tmp/x"),
  "the parent's environment": () => fs.readFileSync(`/proc/${process.ppid}/environ`),
  "the starter's environment": () => fs.readFileSync(`/proc/${victim}/environ`),
  "its own environment's secret": () => process.env.ESCAPE ?? Promise.reject(new Error("nothing")),
  "another's memory": () => fs.openSync(`/proc/${victim}/mem`, "r+"),
  "all of the session's connections": () => {
    for (let count = 0; count < 5000; count++) fs.openSync("/dev/null");
  },
  "a list of other processes": () =>
    fs
      .readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
      .at(0) ?? Promise.reject(new Error("none")),
  "a signal to the user's process": () => process.kill(victim, "SIGKILL"),
  "a question by signal": () => process.kill(victim, 0),
  "a signal to its starter": () => process.kill(process.ppid === 0 ? victim : process.ppid, "SIGKILL"),
  "a signal to every process": () => process.kill(-1, "SIGKILL"),
  "another's priority": () => os.setPriority(victim, 10),
  "a debugger in another": () => process._debugProcess(victim),
  "a command": () => child.execSync("id"),
  "a program": () => child.execFileSync(process.execPath, ["-v"]),
  "a detached process": () =>
    new Promise((resolve, reject) =>
      child.spawn("/bin/sh", ["-c", "true"], { detached: true }).once("error", reject).once("spawn", resolve),
    ),
  "a fork": () =>
    new Promise((resolve, reject) => child.fork(process.argv[1]).once("error", reject).once("spawn", resolve)),
  "a set-user program": () => child.execFileSync("/usr/bin/su", ["-c", "id"]),
  "a unix socket of the user's": () => connect(socket),
  "a unix socket by a getter": () =>
    new Promise((resolve, reject) =>
      new net.Socket()
        .once("connect", resolve)
        .once("error", reject)
        .connect({
          get path() {
            return socket;
          },
        }),
    ),
  "an abstract socket": () => connect(`\0${abstract}`),
  "a unix socket by http": () =>
    new Promise((resolve, reject) => http.get({ socketPath: socket }, resolve).once("error", reject)),
  "a service of the user's on localhost": () => connect(port, "localhost"),
  "a service on the loopback": () => connect(port, "127.0.0.1"),
  "a service on another loopback address": () => connect(port, "127.1.2.3"),
  "a service by a number": () => connect(port, "2130706433"),
  "a service by a short address": () => connect(port, "127.1"),
  "a service on IPv6's loopback": () => connect(port, "::1"),
  "a service by a mapped address": () => connect(port, "::ffff:127.0.0.1"),
  "a service by no address": () => connect(port, "0.0.0.0"),
  "a service by no address of IPv6": () => connect(port, "::"),
  "a service by a translated address": () => connect(port, "64:ff9b::7f00:1"),
  "a service by an address in an address": () => connect(port, "2002:7f00:1::"),
  "a service by a name of its own": () =>
    new Promise((resolve, reject) =>
      net
        .connect({
          port,
          host: "rebound.test",
          lookup: (_name, options, done) =>
            options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4),
        })
        .once("connect", resolve)
        .once("error", reject),
    ),
  "a service by fetch": () => fetch(`http://127.0.0.1:${port}/`),
  "the cloud's metadata": () => connect({ port: 80, host: "169.254.169.254", timeout: 1000 }),
  "the cloud's metadata by IPv6": () => connect(80, "fd00:ec2::254"),
  "a machine of the network": () => connect(80, "10.0.0.1"),
  "a router": () => connect(80, "192.168.1.1"),
  "a container of the user's": () => connect(80, "172.17.0.1"),
  "a carrier's network": () => connect(80, "100.64.0.1"),
  "a link's neighbour": () => connect(80, "fe80::1"),
  "many at once": () => connect(80, "224.0.0.1"),
  "everyone at once": () => connect(80, "255.255.255.255"),
  "a datagram to the loopback's service": () => sent("127.0.0.1")(),
  "a datagram to the network": sent("10.0.0.1"),
  "a datagram to the internet": sent("8.8.8.8"),
  "a datagram by IPv6": sent("::1"),
  "a port of the machine": listening(0),
  "a port of its loopback": listening(0, "127.0.0.1"),
  "a unix socket of its own": listening("/tmp/own"),
  "an abstract socket of its own": listening("\0own"),
  "another server for names": () => {
    const resolver = new dns.promises.Resolver({ timeout: 200, tries: 1 });
    resolver.setServers(["10.0.0.1"]);
    return resolver.resolve4("example.com");
  },
  ...Object.fromEntries(
    addresses.map((address) => [`this machine's address ${address}`, () => connect(port, address)]),
  ),
};

const told = {};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    told[name] = "reached";
  } catch (error) {
    told[name] = String(error?.cause?.message || error?.message || error?.code || error);
  }
}
console.log(JSON.stringify(told));
process.exit(0);
