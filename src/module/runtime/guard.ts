/**
 * Blocks what Node's permission model does not cover. In an engine a body runs in a container of its own, where it can
 * neither open a port of the host, nor signal the user's processes, nor reach daemons behind the user's unix sockets;
 * so these calls fail here.
 */
import dgram from "node:dgram";
import net from "node:net";

function refuse(what: string): never {
  const error: NodeJS.ErrnoException = new Error(`EPERM: operation not permitted, ${what} in a function body`);
  error.code = "EPERM";
  throw error;
}

net.Server.prototype.listen = () => refuse("listen");
dgram.Socket.prototype.bind = () => refuse("bind");
process.kill = () => refuse("kill");
process.chdir = () => refuse("chdir");
// The same functions are reachable under other names; `_debugProcess` opens a debugger in another Node process.
refuseAll(net.Server.prototype, ["_listen2"]);
refuseAll(net, ["_createServerHandle"]);
refuseAll(dgram, ["_createSocketHandle"]);
refuseAll(process, ["_kill", "_debugProcess", "_debugEnd"]);

const connect = net.Socket.prototype.connect as (...args: unknown[]) => net.Socket;
net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]): net.Socket {
  return isUnixSocket(args[0]) ? refuse("connect to a unix socket") : connect.apply(this, args);
};

function refuseAll(owner: object, names: readonly string[]): void {
  for (const name of names) Object.assign(owner, { [name]: () => refuse(name) });
}

/** Interprets arguments as `net` does: a path or options with one, in a list when called by its own functions. */
function isUnixSocket(first: unknown): boolean {
  const target: unknown = Array.isArray(first) ? first[0] : first;
  if (typeof target === "string") return !(Number(target) >= 0);
  return typeof target === "object" && target !== null && "path" in target && Boolean(target.path);
}
