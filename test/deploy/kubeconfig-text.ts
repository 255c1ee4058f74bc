export interface KubeconfigOptions {
  user?: "admin" | "limited";
  context?: string;
  ca?: string;
}

/** A kubeconfig of one context, for an API server on this port of loopback. */
export const kubeconfigText = (
  port: number,
  { user, context, ca, token, tlsServerName }: Required<KubeconfigOptions> & { token: string; tlsServerName?: string },
): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    clusters: [
      {
        name: "here",
        cluster: {
          server: `https://127.0.0.1:${port}`,
          "certificate-authority-data": Buffer.from(ca).toString("base64"),
          ...(tlsServerName === undefined ? {} : { "tls-server-name": tlsServerName }),
        },
      },
    ],
    contexts: [{ name: context, context: { cluster: "here", user } }],
    users: [{ name: user, user: { token } }],
  });
