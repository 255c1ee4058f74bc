import { describe, expect, it } from "vitest";
import { exceptionsOf, guardRules } from "../../../src/engine-daemon/network/network-guard.ts";

describe("the rules of a bridge", () => {
  it("answer what the host asked, let through what is named, and refuse the rest, in this order", () => {
    const { iptables, ip6tables } = guardRules("fastloopabc", [{ address: "192.0.2.2", port: 53, protocol: "udp" }]);
    const of = (chain: string): string[] =>
      iptables.filter((rule) => rule[0] === "-A" && rule[1] === chain).map((rule) => rule.slice(2).join(" "));
    expect(of("fastloopabc-in")).toEqual([
      "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
      "-p udp -d 192.0.2.2 --dport 53 -j ACCEPT",
      "-j REJECT",
    ]);
    expect(of("fastloopabc-fwd")).toEqual([
      "-m conntrack --ctstate DNAT -j REJECT",
      "-d 169.254.0.0/16 -j REJECT",
      "-d 100.100.100.200 -j REJECT",
    ]);
    expect(iptables.filter((rule) => rule[0] === "-I").map((rule) => rule.join(" "))).toEqual([
      "-I INPUT -i fastloopabc -j fastloopabc-in",
      "-I FORWARD -i fastloopabc -j fastloopabc-fwd",
    ]);
    expect(ip6tables.at(-1)).toEqual(["-A", "fastloopabc-in", "-j", "REJECT"]);
  });

  it("let through the user's name servers and proxies that are on this machine, and no others", () => {
    const resolvers = "nameserver 192.0.2.2\nnameserver 10.0.0.1\n";
    const env = {
      HTTPS_PROXY: "http://user:pw@192.0.2.2:3128",
      http_proxy: "192.0.2.2",
      ALL_PROXY: "http://elsewhere:1",
      FTP_PROXY: "https://192.0.2.2:443",
    };
    expect(
      exceptionsOf(env, new Set(["192.0.2.2"]), resolvers).map(
        ({ address, port, protocol }) => `${protocol} ${address}:${port}`,
      ),
    ).toEqual(["udp 192.0.2.2:53", "tcp 192.0.2.2:53", "tcp 192.0.2.2:80", "tcp 192.0.2.2:3128", "tcp 192.0.2.2:443"]);
  });
});
