import { ApiError } from "./errors.ts";

/** A platform in BuildKit's parts. */
export interface PlatformParts {
  OS: string;
  Architecture: string;
  Variant: string;
}

const architectureNames: Record<string, { Architecture: string; Variant: string }> = {
  x86_64: { Architecture: "amd64", Variant: "" },
  "x86-64": { Architecture: "amd64", Variant: "" },
  aarch64: { Architecture: "arm64", Variant: "" },
  armhf: { Architecture: "arm", Variant: "v7" },
  armel: { Architecture: "arm", Variant: "v6" },
  i386: { Architecture: "386", Variant: "" },
};

/**
 * Parses `linux/arm64`, `arm64`, `linux/arm/v7` and the other forms that containerd's `platforms.Parse` accepts for
 * Linux. Throws an `ApiError` for other text.
 */
export function parsePlatform(text: string): PlatformParts {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new ApiError(
      `invalid platform ${JSON.stringify(text)}: cannot parse platform specifier: invalid argument; expected os/architecture[/variant], e.g. linux/arm64`,
    );
  }
  if (parts.length === 1 && parts[0] !== "linux") parts.unshift("linux");
  const [OS = "linux", named = "amd64", variant = ""] = parts;
  const known = architectureNames[named] ?? { Architecture: named, Variant: "" };
  let Variant = variant === "" ? known.Variant : variant;
  if (known.Architecture === "arm64" && (Variant === "v8" || Variant === "8")) Variant = "";
  if (known.Architecture === "amd64" && Variant === "v1") Variant = "";
  if (known.Architecture === "arm" && Variant === "") Variant = "v7";
  return { OS, Architecture: known.Architecture, Variant };
}

/** Returns the canonical spelling of a platform: `linux/arm64`, `linux/arm/v7`. */
export function normalizePlatform(text: string): string {
  const { OS, Architecture, Variant } = parsePlatform(text);
  return Variant === "" ? `${OS}/${Architecture}` : `${OS}/${Architecture}/${Variant}`;
}

const systems =
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split(
    " ",
  );
const architectures =
  "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x wasm".split(" ");

/**
 * Returns a platform as a Dagger engine spells it back, which keeps the variant that was written. Throws an `ApiError`
 * for an unknown platform.
 */
export function givenPlatform(text: string): string {
  const { OS, Architecture, Variant } = parsePlatform(text);
  const [first = "", , variant = ""] = text.toLowerCase().split("/");
  if (!text.includes("/")) {
    if (systems.includes(first)) return `${first}/${first === "linux" ? Architecture : hostArchitecture()}`;
    if (!architectures.includes(Architecture))
      throw new ApiError(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`);
  }
  const isPlain = variant === "" && (Variant === "" || (Architecture === "arm" && Variant === "v7"));
  if (Architecture === "arm64" && /^v?8$/.test(variant)) return `${OS}/${Architecture}/v8`;
  return isPlain || Variant === "" ? `${OS}/${Architecture}` : `${OS}/${Architecture}/${Variant}`;
}

function hostArchitecture(): string {
  return process.arch === "arm64" ? "arm64" : "amd64";
}
