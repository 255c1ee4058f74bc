import { describe, expect, it } from "vitest";
import { proxyFor, proxyOf, proxyPort, proxySetting, proxyVariables } from "../../../src/paths/index.ts";

describe("a proxy", () => {
  it.each([
    ["http://proxy", 80],
    ["proxy", 80],
    ["proxy:3128", 3128],
    ["https://proxy", 443],
    ["https://proxy:443/", 443],
    ["https://user:pw@proxy:8443", 8443],
    ["socks5://proxy", 1080],
    ["http://[::1]", 80],
  ])("%s listens on port %d", (text, port) => expect(proxyPort(proxyOf(text)!)).toBe(port));

  it.each(["", "http://", "http://a b"])("is not %o", (text) => expect(proxyOf(text)).toBeUndefined());

  it("is named by a variable in either spelling; an empty one names none", () => {
    expect(proxySetting({ HTTP_PROXY: "", http_proxy: "a" }, "HTTP_PROXY")).toBe("a");
    expect(proxySetting({ HTTP_PROXY: "b", http_proxy: "a" }, "HTTP_PROXY")).toBe("b");
    expect(proxySetting({}, "HTTP_PROXY")).toBe("");
    expect(proxyVariables).toEqual(expect.arrayContaining(["http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"]));
  });

  it("is not used for excepted hosts and their subdomains", () => {
    const env = { HTTPS_PROXY: "proxy:3128", NO_PROXY: "other, .example.com" };
    expect(proxyFor("registry.org", false, env)?.host).toBe("proxy:3128");
    expect(proxyFor("a.example.com", false, env)).toBeUndefined();
    expect(proxyFor("registry.org", true, env)).toBeUndefined();
    expect(proxyFor("registry.org", false, { HTTPS_PROXY: "proxy:3128", NO_PROXY: "*" })).toBeUndefined();
  });
});
