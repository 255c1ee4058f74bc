import type { ServerCall } from "../session/grpc-server.ts";
import { isDirectory, isRegular, isSymlink } from "./mode.ts";
import { PacketSender } from "./packet-sender.ts";
import { decodePacket, PacketType, type Stat } from "./packet.ts";
import { TreeWriter } from "./tree-writer.ts";

export interface ReceiveOptions {
  /** Absolute path of the target folder, which is created if missing. */
  target: string;
  /** Whether to remove entries of the folder that are not in the transfer. */
  wipe: boolean;
}

/**
 * Receives a tree from the `local` exporter. It requests each file's content as soon as its stat arrives. Throws when
 * the daemon reports an error or leaves before the end.
 */
export async function receiveTree(call: ServerCall, options: ReceiveOptions): Promise<void> {
  const out = new PacketSender(call);
  const writer = new TreeWriter(options.target);
  try {
    await writer.open();
    await Promise.race([receive(call, out, writer, options.wipe), out.failed]);
  } catch (error) {
    await writer.abort();
    await out.error(error);
    throw error;
  }
}

async function receive(call: ServerCall, out: PacketSender, writer: TreeWriter, wipe: boolean): Promise<void> {
  let index = 0;
  /** Number of files whose content has not arrived yet. */
  let pending = 0;
  let statsComplete = false;
  for await (const message of call.messages()) {
    const packet = decodePacket(message);
    if (packet.type === PacketType.error)
      throw new Error(`the daemon gave up the export: ${packet.data.toString("utf8")}`);
    if (packet.type === PacketType.finish) return;

    if (packet.type === PacketType.stat && packet.stat === undefined) statsComplete = true;
    else if (packet.type === PacketType.stat && packet.stat !== undefined) {
      if (await begin(writer, index, packet.stat)) {
        pending += 1;
        out.packets.request(index);
        await out.added();
      }
      index += 1;
    } else if (packet.type === PacketType.data && packet.data.length > 0) await writer.write(packet.id, packet.data);
    else if (packet.type === PacketType.data) {
      await writer.finishFile(packet.id);
      pending -= 1;
    }

    if (statsComplete && pending === 0) {
      statsComplete = false;
      await writer.close(wipe);
      out.packets.finish();
      await out.flush();
    }
  }
  throw new Error("the daemon left the export before its end");
}

/**
 * Starts an entry. Returns true if its content is to be requested. Devices, pipes and sockets have no place in a host
 * folder and are skipped.
 */
async function begin(writer: TreeWriter, index: number, stat: Stat): Promise<boolean> {
  if (isDirectory(stat.mode)) await writer.directory(stat);
  else if (isSymlink(stat.mode)) await writer.symlink(stat);
  else if (isRegular(stat.mode) && stat.linkname !== "") writer.hardlink(stat);
  else if (isRegular(stat.mode)) {
    writer.beginFile(index, stat);
    return true;
  }
  return false;
}
