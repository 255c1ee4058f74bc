/**
 * Where tests of deploy run: the deployer's process on a real API server, or, in the unit suite, the deployer in the tests'
 * process on a small one. Both have to answer alike.
 */
import process from "node:process";
import type { Cluster } from "../../src/deploy/cluster/client.ts";
import { noCluster, TestCluster } from "./cluster.ts";
import { start, startHere, type Asked, type Ended, type Working } from "./deployer.ts";
import type { KubeconfigOptions } from "./kubeconfig-text.ts";
import { SmallCluster } from "./small-api-server.ts";

/** Whether this is the unit suite (vitest.config.ts). */
export const isSmall = process.env["FASTLOOP_TEST_API_SERVER"] === "small";
/** Why the tests can't run here; undefined where they can. */
export const noWorld = isSmall ? undefined : noCluster;

/** What both clusters offer. */
export interface World {
  readonly port: number;
  kubeconfig(options?: KubeconfigOptions): string;
  ca(): string;
  client(): Cluster;
  killApi(): Promise<void>;
  startApi(): Promise<void>;
  stop(): void;
}

/** Another one differs by its certificate's authority. */
export const startWorld = (isAnother = false): Promise<World> =>
  isSmall ? SmallCluster.start(isAnother) : TestCluster.start();

/** Starts a request. */
export const startAsked: (kubeconfig: string, asked: Asked) => Working = isSmall ? startHere : start;

/** Runs a request to its end. */
export const ask = (kubeconfig: string, asked: Asked): Promise<Ended> => startAsked(kubeconfig, asked).ended;
