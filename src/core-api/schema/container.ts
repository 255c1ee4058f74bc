import type { Container, Directory } from "../values/values.ts";
import { ApiError } from "../values/errors.ts";
import { id, load, typeModule } from "../values/resolver.ts";
import { containerConfigResolvers, containerConfigSdl } from "../container/config.ts";
import { containerExecResolvers, containerExecSdl } from "../container/exec.ts";
import { containerFileResolvers, containerFileSdl } from "../container/files.ts";
import { containerImageResolvers, containerImageSdl } from "../container/image.ts";
import { containerHealthcheckResolvers, containerHealthcheckSdl } from "../container/healthcheck.ts";
import { containerImportResolvers, containerImportSdl } from "../container/import.ts";
import { containerMountResolvers, containerMountSdl } from "../container/mounts.ts";
import { containerServiceResolvers, containerServiceSdl } from "./container-services.ts";
import { containerTerminalResolvers, containerTerminalSdl } from "../terminal/fields.ts";
import { evaluateContainer, evaluatedFirst } from "../container/evaluate.ts";
import { fromImage } from "../container/from.ts";
import { rootedTree } from "../values/rooted.ts";
import { changed } from "../container/tree.ts";

const sdl = /* GraphQL */ `
  "An OCI-compatible container, also known as a Docker container."
  type Container implements Node & Syncer & Exportable {
    id: ID!
    sync: ID! @expectedType(name: "Container")
    from(address: String!, registryService: ID): Container!
    platform: Platform!
    imageRef: String!
    rootfs: Directory!
    withRootfs(directory: ID!): Container!
    withError(err: String!): Container!
    ${containerConfigSdl}
    ${containerExecSdl}
    ${containerFileSdl}
    ${containerMountSdl}
    ${containerImageSdl}
    ${containerServiceSdl}
    ${containerImportSdl}
    ${containerHealthcheckSdl}
    ${containerTerminalSdl}
  }
`;

export const containerModule = typeModule<Container>("Container", sdl, {
  id,
  sync: async (container, _args: object, call) => {
    await evaluateContainer(call, container);
    return call.session.ids.idOf(container);
  },
  from: async (container, { address, registryService }: { address: string; registryService?: string }, call) => {
    if (registryService !== undefined)
      throw new ApiError("Container.from(registryService) is not served by the embedded engine; use a Dagger engine");
    return await fromImage(container, address, call);
  },
  imageRef: (container) => {
    if (container.imageReference !== undefined) return container.imageReference;
    throw new ApiError(
      "Image reference can only be retrieved immediately after the 'Container.From' call. Error in fetching imageRef as the container image is changed",
    );
  },
  rootfs: (container) => ({ type: "Directory", tree: container.rootfs, path: "/" }) satisfies Directory,
  withRootfs: (container, args: { directory: string }, call) => {
    const directory = load<Directory>(call, args.directory, "Directory");
    return changed(container, { rootfs: rootedTree(directory) });
  },
  withError: (container, { err }: { err: string }) => {
    if (err !== "") throw new ApiError(err);
    return container;
  },
  ...evaluatedFirst(containerConfigResolvers),
  ...containerExecResolvers,
  ...containerFileResolvers,
  ...evaluatedFirst(containerMountResolvers),
  ...containerImageResolvers,
  ...containerServiceResolvers,
  ...containerImportResolvers,
  ...containerHealthcheckResolvers,
  ...containerTerminalResolvers,
});
