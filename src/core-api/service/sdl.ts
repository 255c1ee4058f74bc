/** SDL of services, ports and sockets, as in Dagger's schema. */

export const serviceSdl = /* GraphQL */ `
  "A content-addressed service providing TCP connectivity."
  type Service implements Node & Syncer {
    id: ID!
    endpoint(port: Int, scheme: String = ""): String!
    hostname: String!
    ports: [Port!]!
    start: ID! @expectedType(name: "Service")
    stop(kill: Boolean = false): ID! @expectedType(name: "Service")
    sync: ID! @expectedType(name: "Service")
    terminal(cmd: [String!] = []): Service!
    up(ports: [PortForward!] = [], random: Boolean = false): Void
    withHostname(hostname: String!): Service!
  }

  "Port forwarding rules for tunneling network traffic."
  input PortForward {
    "Port to expose to clients. If unspecified, a default will be chosen."
    frontend: Int
    "Destination port for traffic."
    backend: Int!
    "Transport layer protocol to use for traffic."
    protocol: NetworkProtocol = TCP
  }
`;

export const socketSdl = /* GraphQL */ `
  "A Unix or TCP/IP socket that can be mounted into a container."
  type Socket implements Node {
    id: ID!
  }
`;

/** Fields of `Container` that create and use services. */
export const containerServiceSdl = /* GraphQL */ `
    asService(
      args: [String!] = []
      useEntrypoint: Boolean = false
      experimentalPrivilegedNesting: Boolean = false
      insecureRootCapabilities: Boolean = false
      expand: Boolean = false
      noInit: Boolean = false
    ): Service!
    up(
      random: Boolean = false
      ports: [PortForward!] = []
      args: [String!] = []
      useEntrypoint: Boolean = false
      experimentalPrivilegedNesting: Boolean = false
      insecureRootCapabilities: Boolean = false
      expand: Boolean = false
      noInit: Boolean = false
    ): Void
    withServiceBinding(alias: String!, service: ID! @expectedType(name: "Service")): Container!
    withUnixSocket(path: String!, source: ID! @expectedType(name: "Socket"), owner: String = "", expand: Boolean = false): Container!
    withoutUnixSocket(path: String!, expand: Boolean = false): Container!
`;

/** Fields of `Host` that connect it with services. */
export const hostServiceSdl = /* GraphQL */ `
    service(ports: [PortForward!]!, host: String = "localhost"): Service!
    tunnel(service: ID! @expectedType(name: "Service"), native: Boolean = false, ports: [PortForward!] = []): Service!
    unixSocket(path: String!): Socket!
`;
