/** Where the Kubernetes API server for tests is, or will be. */
export declare function clusterProgram(): string;
