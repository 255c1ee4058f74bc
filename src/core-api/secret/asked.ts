import { resolverMount, startSecretId } from "../../llb/index.ts";
import { offlineAptConf, offlineResolver, offlineVariables } from "../solve/offline.ts";
import type { Session } from "../session.ts";
import { askedByContainer, isHostsSecretId, trustSecrets } from "../solve/compile-exec.ts";

/**
 * Answers BuildKit's request for a secret. Some ids are not secrets: BuildKit asks for them when it is about to create
 * a container, which is the moment to start services and to wait for admission.
 */
export async function secretAsked(session: Session, id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  if (isHostsSecretId(id)) return await session.services.hostsOfExec(id, signal);
  const hosts = askedByContainer(id);
  if (hosts !== undefined) return await session.services.hostsFile(hosts);
  if (id === startSecretId) {
    await session.admission.enter(signal, { count: () => 0, take: () => undefined });
    return undefined;
  }
  const isOffline = session.options.offline === true;
  if (id === resolverMount.id) return isOffline ? Buffer.from(offlineResolver) : undefined;
  if (id === trustSecrets.apt) return isOffline ? Buffer.from(offlineAptConf) : undefined;
  if (id !== trustSecrets.ca && id !== trustSecrets.environment) return session.secrets.get(id);
  const trust = await session.options.hostTrust();
  if (id === trustSecrets.ca) return trust.caBundlePem === undefined ? undefined : Buffer.from(trust.caBundlePem);
  const lines = Object.entries(isOffline ? offlineVariables : trust.environment).map(
    ([name, value]) => `${name}=${value}\n`,
  );
  return lines.length === 0 ? undefined : Buffer.from(lines.join(""));
}
