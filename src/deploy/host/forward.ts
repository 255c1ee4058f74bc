import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { printable } from "../../text/index.ts";
import { tlsOptions } from "../cluster/client.ts";
import type { Cluster } from "../cluster/client.ts";
import { DeployError } from "../objects/problem.ts";
import { parseForward, podFor } from "./pods.ts";
import type { ForwardTarget } from "./pods.ts";

/**
 * WebSocket protocol of the kubelet for one port: a message begins with its channel, and each channel's data with the
 * port.
 */
const protocol = "v4.channel.k8s.io";
const dataChannel = 0;
const portBytes = 2;
/** How long a connection waits for a ready pod; during a rollout there may be none for a moment. */
const patienceMs = 10_000;
/** Bytes buffered for a slow receiver before reading pauses. */
const mostWaiting = 1024 * 1024;

export interface ForwardOptions {
  app: string;
  namespace: string;
  /** Returns the cluster with current credentials. */
  cluster: () => Cluster;
  onLine: (text: string) => void;
}

/**
 * Listens on loopback and forwards each connection to a pod that is ready at that moment. The forward survives the
 * replacement of pods; only connections to removed pods end. Throws when the port is taken.
 */
export async function openForward(text: string, options: ForwardOptions): Promise<{ close: () => void }> {
  const target = parseForward(text);
  const { app, onLine } = options;
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    connect(socket, target, options).catch((error: unknown) => {
      socket.destroy();
      if (error instanceof Error) onLine(`${app}: forward ${text}: ${printable(error.message)}`);
    });
  });
  await listen(server, target.localPort, app);
  onLine(`${app}: 127.0.0.1:${target.localPort} leads to ${text.slice(text.indexOf(":") + 1)}`);
  return {
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function listen(server: Server, port: number, app: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "is taken by another program" : `cannot be used (${error.code})`;
      reject(
        new DeployError("refused", `${app}: the port ${port} of this machine ${why}; take another one for \`forward\``),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}

/** Forwards one connection over a WebSocket of its own, through the API server to the node. */
async function connect(
  socket: Socket,
  target: ForwardTarget,
  { app, namespace, cluster }: ForwardOptions,
): Promise<void> {
  socket.pause();
  const found = await readyPod(cluster(), app, namespace, target);
  const { access } = cluster();
  const { server, token } = access;
  const host = server.hostname === "0.0.0.0" ? "127.0.0.1" : server.hostname;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(found.pod)}/portforward`;
  const address = `wss://${host}:${server.port === "" ? 443 : server.port}${server.pathname.replace(/\/$/, "")}${path}?ports=${found.port}`;
  const line = new WebSocket(address, [protocol], {
    ...tlsOptions(access),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    handshakeTimeout: patienceMs,
    maxPayload: 16 * 1024 * 1024,
    perMessageDeflate: false,
  });
  try {
    await join(socket, line);
  } finally {
    line.terminate();
  }
}

async function readyPod(cluster: Cluster, app: string, namespace: string, target: ForwardTarget) {
  for (const untilMs = performance.now() + patienceMs; ; await sleep(300)) {
    const found = await podFor(cluster, app, namespace, target);
    if (found !== undefined) return found;
    if (performance.now() >= untilMs) throw new Error("no pod is ready");
  }
}

/** Resolves when either side ends. Rejects with the node's error about the port. */
function join(socket: Socket, line: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    /** For each channel, the bytes of the leading port number that have not arrived yet. */
    const heads = [portBytes, portBytes];
    line.once("open", () => socket.resume());
    line.on("message", (message: Buffer) => {
      const channel = message[0] ?? 0;
      const head = Math.min(heads[channel] ?? 0, message.length - 1);
      heads[channel] = (heads[channel] ?? 0) - head;
      const data = message.subarray(1 + head);
      if (data.length === 0) return;
      if (channel !== dataChannel) return reject(new Error(data.toString("utf8").trim()));
      if (!socket.write(data)) {
        line.pause();
        socket.once("drain", () => line.resume());
      }
    });
    line.once("close", () => {
      socket.end();
      resolve();
    });
    line.once("unexpected-response", (_request, response) =>
      reject(new Error(`the API server answered ${response.statusCode}`)),
    );
    line.once("error", reject);
    socket.on("data", (data: Buffer) => {
      line.send(Buffer.concat([Buffer.of(dataChannel), data]), () => {
        if (socket.isPaused() && line.bufferedAmount < mostWaiting) socket.resume();
      });
      if (line.bufferedAmount >= mostWaiting) socket.pause();
    });
    // The protocol has no half-closed connections, so the end of the socket's input is not passed on: the pod may still
    // send.
    socket.once("close", () => resolve());
  });
}
