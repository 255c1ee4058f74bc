import { cacheKeyCases } from "./cache-keys.ts";
import { changesetCases } from "./changeset.ts";
import { containerCases } from "./container.ts";
import { destinationCases, joinedChangeCases } from "./destinations.ts";
import { directoryCases } from "./directory.ts";
import { dockerfileCases } from "./dockerfile.ts";
import { execCases } from "./exec.ts";
import { fileCases } from "./file.ts";
import { containerFileCases } from "./files.ts";
import { hostCases } from "./host.ts";
import { imageCases } from "./images.ts";
import { linkCases } from "./links.ts";
import { modeCases } from "./modes.ts";
import { mountCases } from "./mounts.ts";
import { nameCases } from "./names.ts";
import { platformCases } from "./platforms.ts";
import { protocolCases } from "./protocol.ts";
import { recordedConfigCases } from "./recorded-config.ts";
import { recordedFileCases } from "./recorded-files.ts";
import { recordedPlaceCases } from "./recorded-places.ts";
import { recordedTreeCases } from "./recorded-trees.ts";
import { remoteCases } from "./remote.ts";
import { secretCases } from "./secrets.ts";
import { serviceHealthCases } from "./service-health.ts";
import { serviceCases } from "./services.ts";
import { statedCases } from "./stated.ts";
import { valueCases } from "./values.ts";
import type { ConformanceCase } from "./case.ts";

/** All cases by the part of the API that they are about. */
export const groups: Record<string, ConformanceCase[]> = {
  protocol: protocolCases,
  "Container: exec": execCases,
  "Container: configuration": containerCases,
  "Container: files": containerFileCases,
  "Container: mounts": mountCases,
  "Container: images": imageCases,
  "Images and platforms": platformCases,
  Directory: directoryCases,
  File: fileCases,
  Host: hostCases,
  Secret: secretCases,
  Service: serviceCases,
  "Service: health and end": serviceHealthCases,
  Dockerfile: dockerfileCases,
  Changeset: changesetCases,
  "Changes joined": joinedChangeCases,
  "Cache keys": cacheKeyCases,
  "Linked folders": linkCases,
  "What is copied to": destinationCases,
  "Owners, modes, names": modeCases,
  "Names and patterns": nameCases,
  "JSON, env files, engine": valueCases,
  "git and http": remoteCases,
  "Stated by Dagger's own tests": statedCases,
  "Recorded: trees": recordedTreeCases,
  "Recorded: files": recordedFileCases,
  "Recorded: places": recordedPlaceCases,
  "Recorded: configuration, commands, queries": recordedConfigCases,
};
