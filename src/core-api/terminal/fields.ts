import { emptyContainer, fromImage } from "../container/from.ts";
import { changed, withMount } from "../container/tree.ts";
import { ApiError } from "../values/errors.ts";
import { requireRootCapabilities } from "../container/exec.ts";
import { load, type Resolver } from "../values/resolver.ts";
import { openServiceTerminal, openTerminal, type TerminalArguments } from "./terminal.ts";
import type { Container, Directory, Service } from "../values/values.ts";

/** Path at which a directory's terminal mounts the directory, as on a Dagger engine. */
const directoryPath = "/src";
/**
 * Default image of a directory's terminal. Every machine has it, even without access to a registry: the set-up creates
 * it there.
 */
const directoryImage = "debian:bookworm-slim";

export const containerTerminalSdl = /* GraphQL */ `
    terminal(cmd: [String!] = [], experimentalPrivilegedNesting: Boolean, insecureRootCapabilities: Boolean): Container!
    withDefaultTerminalCmd(args: [String!]!, experimentalPrivilegedNesting: Boolean = false, insecureRootCapabilities: Boolean = false): Container!
`;

export const directoryTerminalSdl = /* GraphQL */ `
    terminal(
      container: ID @expectedType(name: "Container")
      cmd: [String!] = []
      experimentalPrivilegedNesting: Boolean
      insecureRootCapabilities: Boolean
    ): Directory!
`;

interface DefaultCommand {
  args: string[];
  experimentalPrivilegedNesting: boolean;
  insecureRootCapabilities: boolean;
}

/** Each field returns the object that it was called on: changes made in a terminal are not kept. */
export const containerTerminalResolvers: Record<string, Resolver<Container>> = {
  terminal: async (container, args: TerminalArguments, call) => {
    await openTerminal(call, container, args);
    return container;
  },
  withDefaultTerminalCmd: (
    container,
    { args, experimentalPrivilegedNesting: nesting, insecureRootCapabilities: insecure }: DefaultCommand,
    call,
  ) => changed(container, { terminal: { args, nesting, insecure: requireRootCapabilities(call, insecure) } }),
};

export const directoryTerminalResolvers: Record<string, Resolver<Directory>> = {
  terminal: async (directory, args: TerminalArguments & { container?: string | null }, call) => {
    call.session.terminals.require();
    const base = args.container
      ? load<Container>(call, args.container, "Container")
      : await fromImage(emptyContainer(call.session.defaultPlatform), directoryImage, call);
    const source = { kind: "directory" as const, tree: directory.tree, path: directory.path };
    const inside = withMount(base, { target: directoryPath, readOnly: true, source });
    await openTerminal(call, changed(inside, { config: { ...inside.config, WorkingDir: directoryPath } }), args);
    return directory;
  },
};

/**
 * `Service.terminal`: returns the service when its terminal has ended. Throws an `ApiError` for a service without a
 * container.
 */
export async function serviceTerminal(
  service: Service,
  args: TerminalArguments,
  call: Parameters<Resolver<Service>>[2],
): Promise<Service> {
  if (service.kind !== "container") throw new ApiError("terminal not supported on non-container services");
  await openServiceTerminal(call, service, args);
  return service;
}
