/**
 * What Node's permission model does not cover. A body in an engine runs in a container of its own: there it can neither
 * open a port of the user's machine nor signal the user's processes, so here it fails at it.
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
